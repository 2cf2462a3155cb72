"""Run a grid of jobs of one protocol, several at a time; then print the table."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.cli.overrides import parse_with_overrides
from npt_plugin.cli.protocol import add_job_flags
from npt_plugin.cli.report import REFERENCE
from npt_plugin.cli.sweep_engine import add_engine_flags, engine_of, look, only_looks, start
from npt_plugin.cli.sweep_plan import print_plan
from npt_plugin.errors import UserError
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.units import ZERO_SHOT
from npt_plugin.sweep.dataset_groups import GROUPS
from npt_plugin.sweep.engines.local import Local
from npt_plugin.sweep.grid import Grid
from npt_plugin.sweep.protocols import PROTOCOLS, protocol_named
from npt_plugin.system.exit_codes import OK, exit_code

RATIOS = (
    "tau = n_min / n_max; 0.06 is the imbalance our methods are made for, 1 the published, "
    "balanced protocols"
)


TRAINERS = (
    "registry names; with settings it is a variant: CoOp:loss=ldam,lr=0.01 (a key's last part will "
    "do where no other key ends so)"
)
BUDGETS = {
    "epochs": "as many epochs as the config says: fewer steps on imbalanced data",
    "equal-steps": "as many steps as the same shots take without imbalance",
}


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt sweep``."""
    p = argparse.ArgumentParser(
        prog="npt sweep",
        description=__doc__,
        epilog=examples(
            "npt sweep --datasets embedded_objects embedded_shades --output output/grid",
            "npt sweep --datasets dtd --trainers MaPLe NPT_MaPLe --ratios 0.06 1 --root /data",
            "npt sweep --datasets dtd --root /data --opts OPTIM.LR 0.01 TRAIN.STEPS 400",
            note="Config keys follow --opts.",
        ),
        formatter_class=WithDefaults,
    )
    about = "; ".join(f"{p.name}: {p.meaning}" for p in PROTOCOLS.values())
    p.add_argument("--protocol", default="base2new", metavar="NAME", help=about)
    groups = f"trained on; of xd and dg: tested on; also {', '.join(GROUPS)}"
    p.add_argument("--datasets", nargs="+", default=[], metavar="NAME", help=groups)
    p.add_argument("--source", default="imagenet", help="dataset that xd and dg train on")
    trainers = [ZERO_SHOT, "CoOp", "NPT_CoOp"]
    p.add_argument("--trainers", nargs="+", default=trainers, metavar="NAME", help=TRAINERS)
    p.add_argument("--seeds", nargs="+", default=["1-3"], metavar="N", help="each 0 or more")
    p.add_argument("--ratios", nargs="+", type=float, default=[0.06], help=RATIOS)
    about = "; ".join(f"{word}: {meaning}" for word, meaning in BUDGETS.items())
    p.add_argument("--budget", choices=BUDGETS, default="epochs", help=about)
    p.add_argument("--jobs", type=int, default=0, help="runs at a time; 0: one a core")
    about = "runs at a time on each GPU, in place of --jobs; a machine without one is one device"
    p.add_argument("--per-device", type=int, default=0, metavar="K", help=about)
    p.add_argument("--plan", action="store_true", help="say what it will take, run nothing")
    about = "train seeds and losses in one pass where they can: faster, equal up to rounding"
    p.add_argument("--together", action="store_true", help=about)
    p.add_argument(
        "--plots",
        action="store_true",
        default=None,
        help="pictures in the report (matplotlib); without it they stay if they are there",
    )
    p.add_argument("--reference", default="", metavar="TRAINER", help=REFERENCE)
    add_job_flags(p, several=True)
    add_engine_flags(p)
    return p


def numbers(words: Sequence[str]) -> list[int]:
    """The seeds of ``1 2 3`` or ``1-3``.

    Raises:
        UserError: On a word that is neither a number nor a range that rises.

    Example:
        >>> numbers(["0", "4-6"])
        [0, 4, 5, 6]
    """
    found: list[int] = []
    for word in words:
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", word)
        first, last = (int(n) for n in match.groups(match.group(1))) if match else (1, 0)
        if last < first:
            raise UserError(f"--seeds has {word!r}; give numbers, 1 2 3, or a range, 1-3.")
        found += range(first, last + 1)
    return list(dict.fromkeys(found))


def grid_of(args: argparse.Namespace) -> Grid:
    """What the flags ask for."""
    return Grid(
        datasets=args.datasets,
        trainers=args.trainers,
        seeds=numbers(args.seeds),
        ratios=args.ratios,
        shots=args.shots,
        protocol=args.protocol,
        config=args.config,
        backbone=args.backbone,
        source=args.source,
        root=args.root,
        output=args.output,
        options=(*(("TRAIN.STEPS", "-1") if args.budget == "equal-steps" else ()), *args.opts),
    )


def run(args: argparse.Namespace) -> int:
    """Run the grid, then print and write the report; 1 if a run failed."""
    if only_looks(args):
        return look(args)
    engine = engine_of(args)
    if not args.datasets and protocol_named(args.protocol).name != "dg":
        raise UserError("--datasets is missing: name at least one dataset (`npt list datasets`).")
    jobs = grid_of(args).jobs()
    configs = configs_folder(args.configs)
    print(f"Configs: {configs}")
    if args.plan:
        here = len(Local(args.jobs, args.per_device).environments())
        print_plan(jobs, configs, args.workers or here)
        return OK
    return start(args, engine, jobs, configs)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(lambda: run(parse_with_overrides(parser(), argv)))
