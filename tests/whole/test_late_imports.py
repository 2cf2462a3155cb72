"""Every import stands at the top of its file, but for those listed here with their reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import npt_plugin

PACKAGE = Path(npt_plugin.__file__).parent

LATE = {
    # start: `import npt_plugin` and `npt` must stay light
    "__init__.py": {"npt_plugin.config", "npt_plugin.registration"},
    "__main__.py": {"npt_plugin.cli.main", "npt_plugin.hosts.runner"},
    "cli/main.py": {"npt_plugin.cli.completion"},
    "datasets/views.py": {"torchvision.transforms"},
    "losses/cluster.py": {"sklearn.cluster"},
    # an export of another family's model runs without OpenAI's package
    "cli/exported_classifier.py": {"clip"},
    "plots/feature_map.py": {"sklearn.manifold"},
    # start: only a run of several processes pays for it
    "engine/distributed.py": {"torch.distributed"},
    # order: the project's folder has to lead the import path before Dassl is looked for
    "hosts/runner.py": {"npt_plugin.engine"},
}
"""File and modules it imports inside a function."""

OPTIONAL = ("argcomplete", "matplotlib", "gdown", "huggingface_hub", "open_clip", "wandb", "ray")
OPTIONAL += ("submitit", "timm")
"""Packages that may be absent, or are needed by few: imported where they are used."""


def late_imports(tree: ast.AST, inside: bool = False) -> Iterator[str]:
    """Modules imported in functions."""
    for node in ast.iter_child_nodes(tree):
        deeper = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if inside and isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif inside and isinstance(node, ast.ImportFrom):
            yield node.module or ""
        yield from late_imports(node, deeper)


def test_late_imports_are_those_that_are_named_here():
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        late = set(late_imports(ast.parse(path.read_text(encoding="utf-8"))))
        late = {name for name in late if name.partition(".")[0] not in OPTIONAL}
        if late:
            found[path.relative_to(PACKAGE).as_posix()] = late
    assert found == LATE
