"""The main job in one command: three methods on the drawn datasets, then the table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.cli.sweep_engine import start
from npt_plugin.embedded.benchmarks import BENCHMARKS, ensure_benchmarks
from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.units import ZERO_SHOT
from npt_plugin.sweep.dataset_groups import GROUPS
from npt_plugin.sweep.engines.local import Local
from npt_plugin.sweep.grid import Grid
from npt_plugin.sweep.job import Job
from npt_plugin.system.exit_codes import OK, exit_code

SEEDS = tuple(range(1, 11))
"""Under the papers' rule, equal epochs: an imbalanced set then takes fewer steps."""

EQUAL_STEPS_SEEDS = (1, 2, 3)
"""Those that also run with the steps of the balanced set, which take four times as long."""

TRAINERS = ("CoOp", "NPT_CoOp")
VIEWS = 8
"""Augmented views cached per image: the demo trains on features, the papers on fresh crops."""

DRAWN = {spec.directory: name for name, spec in BENCHMARKS.items()}
"""Names of the drawn datasets: as in the folder, as in the registry."""


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt demo``."""
    p = argparse.ArgumentParser(
        prog="npt demo",
        description=__doc__,
        epilog=examples("npt demo", "npt demo --seeds 1 --output output/one"),
        formatter_class=WithDefaults,
    )
    drawn = f"of {', '.join(DRAWN)}"
    p.add_argument(
        "--datasets",
        nargs="+",
        default=GROUPS["embedded"],
        choices=DRAWN,
        metavar="NAME",
        help=drawn,
    )
    first, *_, last = EQUAL_STEPS_SEEDS
    seeds = f"each 0 or more; {first} to {last} also run at equal steps"
    p.add_argument("--seeds", nargs="+", type=int, default=SEEDS, help=seeds)
    p.add_argument("--ratio", type=float, default=0.06, help="tau = n_min / n_max")
    p.add_argument("--shots", type=int, default=16, help="images of the largest class")
    p.add_argument("--output", default="output/demo", help="folder of runs and table")
    p.add_argument("--root", default="data", help="folder the datasets are drawn into")
    p.add_argument("--jobs", type=int, default=0, help="runs at a time; 0: one a core")
    p.set_defaults(together=False, follow=False, plots=None, reference="")
    return p


def jobs_of(args: argparse.Namespace) -> list[Job]:
    """All jobs: every seed at equal epochs, some at equal steps as well."""
    grid = {
        "datasets": args.datasets,
        "ratios": [args.ratio],
        "shots": args.shots,
        "root": args.root,
        "output": args.output,
        "options": ("INPUT.CACHED_VIEWS", str(VIEWS)),
    }
    jobs = Grid(trainers=[ZERO_SHOT, *TRAINERS], seeds=args.seeds, **grid).jobs()
    some = [seed for seed in args.seeds if seed in EQUAL_STEPS_SEEDS]
    balanced = [f"{name}:steps=balanced" for name in TRAINERS]
    return jobs + Grid(trainers=balanced, seeds=some, **grid).jobs()


def run(args: argparse.Namespace) -> int:
    """Draw what is missing, run what is missing, print the table."""
    register_all(base=True)
    ensure_benchmarks(args.root, [DRAWN[name] for name in args.datasets])
    code = start(args, Local(args.jobs), jobs_of(args), configs_folder())
    if code == OK:
        print(
            "Demo setting: embedded tiny CLIP, 50 epochs as the papers count them; in the rows "
            f"steps=balanced as many steps as without imbalance. {VIEWS} cached augmented views an "
            "image; the papers: ViT-B/16, 200 epochs, fresh crops."
        )
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
