"""What a project's source shows of how its trainers will get on with NPT.

Read, not run: what is found is there, what is not found may still be.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

ENGINES = ("npt_plugin", "dassl", "minidassl", "torch", "builtins", "abc")
_FILE = re.compile(r"^[\w./-]+/[\w.-]+\.(pth|pt|tar|pkl|npy|json)$")
_BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def own_classes(trainer: type) -> list[type]:
    """A trainer's class and those of its bases that are the project's."""
    return [c for c in trainer.__mro__ if c.__module__.split(".")[0] not in ENGINES]


def source_of(thing: object) -> str:
    """Its source, dedented; "" where there is none."""
    try:
        return textwrap.dedent(inspect.getsource(thing))  # type: ignore[arg-type]  # any class or module
    except (OSError, TypeError, RuntimeError):
        return ""


def parsed(source: str) -> ast.AST:
    """Its syntax tree, empty where it has none."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def trains(trainer: type) -> bool:
    """Whether the project gives the trainer a training step."""
    return any("forward_backward" in vars(c) for c in own_classes(trainer))


def backward_passes(trainer: type) -> int:
    """Backward passes that one call of its training step can take: the most of any branch."""
    return _passes_of(trainer, "forward_backward", frozenset())


def _passes_of(trainer: type, method: str, above: frozenset[str]) -> int:
    """Passes of one method; of methods it calls whose name speaks of them, those too."""
    if method in above:
        return 1
    source = source_of(getattr(trainer, method, None))
    return _passes(trainer, list(ast.iter_child_nodes(parsed(source))), above | {method})


def _passes(trainer: type, nodes: Sequence[ast.AST], above: frozenset[str]) -> int:
    total = 0
    for node in nodes:
        if isinstance(node, ast.If):
            total += max(_passes(trainer, part, above) for part in (node.body, node.orelse))
            continue
        inner = _passes(trainer, list(ast.iter_child_nodes(node)), above)
        if isinstance(node, ast.Call) and "backward" in _name(node.func):
            name = _name(node.func)
            own = name != "backward" and hasattr(trainer, name)
            inner += _passes_of(trainer, name, above) if own else 1
        total += inner * (2 if isinstance(node, ast.For) else 1)
    return total


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def encoders(sources: str) -> list[str]:
    """Which of the two encoder modules some model here sets: "image", "text"."""
    return [t for t in ("image", "text") if re.search(rf"self\.{t}_encoder\s*=[^=]", sources)]


def after_the_encoder(sources: str) -> list[str]:
    """Modules of a model that are given what ``image_encoder`` or ``text_encoder`` returned."""
    found: set[str] = set()
    for function in ast.walk(parsed(sources)):
        if isinstance(function, ast.FunctionDef) and function.name == "forward":
            found |= _fed(function)
    return sorted(found)


def _fed(function: ast.FunctionDef) -> set[str]:
    features: set[str] = set()
    fed: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if _name(node.value.func) in ("image_encoder", "text_encoder"):
                features |= {_name(t) for t in node.targets} - {""}
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        own = isinstance(node.func.value, ast.Name) and node.func.value.id == "self"
        inside = [name for argument in node.args for name in ast.walk(argument)]
        given = any(isinstance(x, ast.Name) and x.id in features for x in inside)
        if own and given and "encoder" not in node.func.attr and node.func.attr != "prompt_learner":
            fed.add(node.func.attr)
    return fed


def cuda_at_import(source: str) -> bool:
    """Whether a module uses ``torch.cuda`` or ``.cuda()`` while it is imported."""
    for node in _outside_functions(parsed(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.endswith(".cuda") or re.match(r"torch\.cuda\.(?!is_available|amp)", called):
                return True
    return False


def asks_its_name(source: str) -> bool:
    """Whether a script compares the name of the trainer that was asked for with something."""
    return any(
        isinstance(node, ast.Compare)
        and any(name in ast.unparse(node) for name in ("TRAINER.NAME", "args.trainer"))
        for node in ast.walk(parsed(source))
    )


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        guard = isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
        if not isinstance(node, _BODIES) and not guard:
            yield node
            yield from _outside_functions(node)


def absent_files(source: str, project: Path) -> list[str]:
    """Files that a source names by a relative path and that the project lacks."""
    words = {
        node.value.removeprefix("./")
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = sorted(w for w in words if _FILE.match(w) and not w.startswith("/"))
    return [w for w in named if not (project / w).exists()]


def watch_list(trainer: type, modules: Sequence[ModuleType], project: Path) -> list[str]:
    """What to look out for with one trainer, a few words each.

    Args:
        trainer: Its class.
        modules: The project's modules behind it.
        project: Folder of its script.
    """
    whole = "\n".join(source_of(module) for module in modules)
    classes = "\n".join(source_of(cls) for cls in own_classes(trainer))
    written = [vars(c).get("forward_backward") for c in own_classes(trainer)]  # or inherited
    steps = [source_of(step) for step in written if step is not None]
    step = steps[0] if steps else ""
    fed = sorted({name for m in modules for name in after_the_encoder(source_of(m))})
    absent = sorted({name for m in modules for name in absent_files(source_of(m), project)})
    notes = {
        "several backward passes: the terms go with the classification loss": (
            backward_passes(trainer) > 1
        ),
        "reads its own name: it finds it": "TRAINER.NAME" in whole.replace("TRAINER.NAMES_TO", ""),
        "takes its batch apart itself": bool(step) and "parse_batch_train" not in step,
        f"{', '.join(fed)} after the encoder: TRAINER.NPT.AT logits acts behind it": bool(fed),
        "has a teacher": bool(re.search(r"\bself\.\w*teacher\w*", whole)),
        "asks for CUDA at import: answered for the CPU": any(
            cuda_at_import(source_of(m)) for m in modules
        ),
        "forces .half() or .cuda(): left out on a CPU": bool(
            re.search(r"\.(half|cuda)\(\)", whole)
        ),
        "loads CLIP from somewhere else than clip": "open_clip" in classes + whole,
        f"names files that are not there: {', '.join(absent[:3])}": bool(absent),
    }
    return [note for note, there in notes.items() if there]
