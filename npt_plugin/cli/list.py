"""Show the names that configs may use, each with a line about it; without a kind, the kinds."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Sequence

import torch
from tabulate import tabulate

from npt_plugin.backbone.catalogue import CATALOGUE as BACKBONES
from npt_plugin.backbone.open_clip_package import open_clip_module
from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.cli.key_table import key_rows, keys_page
from npt_plugin.datasets.catalogue import CATALOGUE
from npt_plugin.datasets.names import PREFIX
from npt_plugin.engine.framework import DATASET_REGISTRY, TRAINER_REGISTRY
from npt_plugin.errors import UserError
from npt_plugin.heads import TWO_STAGE, CosineHead, LinearHead, TextHead
from npt_plugin.losses.registry import CLASSIFICATION_LOSSES
from npt_plugin.registration import register_all
from npt_plugin.system.exit_codes import exit_code


def _trainers() -> list[tuple[str, ...]]:
    register_all(base=True)
    names = sorted(TRAINER_REGISTRY.registered_names())
    return [(name, _about_trainer(name, names)) for name in names]


def _about_trainer(name: str, names: Sequence[str]) -> str:
    same = name.replace("-", "_")
    return f"the same as {same}" if same != name in names else summary(TRAINER_REGISTRY.get(name))


def _datasets() -> list[tuple[str, ...]]:
    register_all(base=True)
    return [(name, _about_dataset(name)) for name in sorted(DATASET_REGISTRY.registered_names())]


def _about_dataset(name: str) -> str:
    if name.startswith(PREFIX):
        return f"{name.removeprefix(PREFIX)}; the name to take in a Dassl project of your own"
    return CATALOGUE[name].title if name in CATALOGUE else summary(DATASET_REGISTRY.get(name))


def _losses() -> list[tuple[str, ...]]:
    return [(name, loss.meaning) for name, loss in sorted(CLASSIFICATION_LOSSES.items())]


def _heads() -> list[tuple[str, ...]]:
    heads = {"cosine": CosineHead, "linear": LinearHead, "text": TextHead}
    return [(name, summary(head)) for name, head in heads.items()]


def _second_stages() -> list[tuple[str, ...]]:
    rows = torch.ones(2, 3)
    return [(name, summary(type(TWO_STAGE[name].build(rows, 1.0)))) for name in sorted(TWO_STAGE)]


def _backbones() -> list[tuple[str, ...]]:
    return [(name, known.line()) for name, known in BACKBONES.items()]


def _of_open_clip() -> str:
    """How many more open_clip has; it is imported for this line alone."""
    try:
        package = open_clip_module()
    except UserError:
        return "open_clip is not installed: pip install 'npt-plugin[backbones]'"
    return (
        f"open_clip has weights of {len(package.list_pretrained())} models; all, as "
        'ARCHITECTURE/WEIGHTS: python -c "import open_clip; '
        "print(*map('/'.join, open_clip.list_pretrained()), sep='\\n')\""
    )


KINDS: dict[str, tuple[str, Callable[[], list[tuple[str, ...]]]]] = {
    "trainers": ("methods: --trainer", _trainers),
    "datasets": ("DATASET.NAME, or --dataset in any spelling", _datasets),
    "losses": ("TRAINER.IMBALANCE_LOSS.NAME, with any trainer", _losses),
    "heads": ("TRAINER.HEAD.NAME of LinearProbe, Decoder, GNM_PT and FineTune", _heads),
    "second-stages": ("TRAINER.TWO_STAGE.METHOD of TwoStage", _second_stages),
    "backbones": ("MODEL.BACKBONE.NAME, or --backbone", _backbones),
    "keys": ("config keys: KEY value on any command line that trains", lambda: [*key_rows()]),
}
"""What each kind of name is for, and its rows: name, line, or name, default, line."""


def summary(thing: object) -> str:
    """The first paragraph of a docstring on one line, without its sources and marks."""
    first = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(first.partition("Source:")[0].replace("``", "").split())


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt list``."""
    p = argparse.ArgumentParser(
        prog="npt list",
        description=__doc__,
        epilog=examples("npt list", "npt list trainers", "npt list keys IMBALANCE"),
        formatter_class=WithDefaults,
    )
    p.add_argument("kind", nargs="?", choices=KINDS, help="what to list; none: how many of each")
    p.add_argument("part", nargs="?", default="", help="only names with this in them")
    p.add_argument("--markdown", action="store_true", help="of keys: the page docs/keys.md")
    return p


def run(args: argparse.Namespace) -> None:
    """Print one name a line."""
    if args.markdown:
        if args.kind != "keys" or args.part:
            raise UserError("--markdown goes with `npt list keys` alone: it makes docs/keys.md.")
        print(keys_page(), end="")
        return
    print(tabulate(_rows(args.kind, args.part), tablefmt="plain", disable_numparse=True))
    if args.kind == "backbones" and not args.part:
        print(_of_open_clip())


def _rows(kind: str | None, part: str) -> list[tuple[str, ...]]:
    if kind is None:
        return [(name, str(len(make())), what) for name, (what, make) in KINDS.items()]
    rows = [row for row in KINDS[kind][1]() if part.lower() in row[0].lower()]
    if not rows:
        raise UserError(f"None of the {kind} has {part!r} in its name.")
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
