"""Run one protocol for one method, dataset and seed; what is completed stays as it is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.cli.overrides import describe_overrides, parse_with_overrides
from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.variants import Method
from npt_plugin.sweep.job import Job, run_job
from npt_plugin.sweep.protocols import PROTOCOLS, VARIANTS, published_config
from npt_plugin.system.exit_codes import exit_code

RATIO = (
    "tau = n_min / n_max; 1 is the protocol as published, balanced, while npt sweep, npt demo and "
    "scripts/npt take 0.06"
)


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt protocol``."""
    p = argparse.ArgumentParser(
        prog="npt protocol",
        description=__doc__,
        epilog=examples(
            "npt protocol base2new --dataset dtd --trainer NPT_CoOp --seed 1 --root /data",
            "npt protocol base2new --dataset embedded_shades --trainer CoOp --seed 1 --ratio 0.06",
        ),
        formatter_class=WithDefaults,
    )
    about = "; ".join(f"{p.name}: {p.meaning}" for p in PROTOCOLS.values())
    p.add_argument("protocol", choices=PROTOCOLS, help=about)
    p.add_argument("--dataset", required=True, help="trained on; with --part test: tested on")
    p.add_argument(
        "--trainer",
        required=True,
        help="registry name of the trainer; with settings: CoOp:loss=ldam,lr=0.01",
    )
    p.add_argument("--seed", type=int, required=True, help="0 or more")
    p.add_argument("--ratio", type=float, default=1.0, help=RATIO)
    p.add_argument("--part", action="append", default=[], help="one part; none: the whole protocol")
    p.add_argument("--source", default="imagenet", help="with --part test: the dataset trained on")
    p.add_argument("--target", action="append", default=[], help="a dataset that xd and dg test on")
    p.add_argument("--load-epoch", type=int, help="epoch to test; none: the one trained to")
    add_job_flags(p)
    describe_overrides(p)
    return p


def add_job_flags(p: argparse.ArgumentParser, several: bool = False) -> None:
    """Flags that a single job and a sweep share.

    Args:
        p: The command's parser.
        several: Whether there may be several numbers of shots.
    """
    p.add_argument(
        "--config",
        default="",
        help="file name in configs/trainers/<trainer>; none: the published one",
    )
    p.add_argument("--configs", default="", help="folder of your own yaml files; none: ours")
    p.add_argument("--backbone", default="", help="CLIP, by name or file; none: the config's")
    more: dict[str, Any] = {"nargs": "+", "default": [16], "metavar": "N"} if several else {}
    shots = {"type": int, "default": 16, "help": "images of the largest class", **more}
    p.add_argument("--shots", **shots)
    p.add_argument("--root", default="", help="folder of the datasets; none: ./data")
    p.add_argument("--output", default="output", help="top folder of all runs")


def job_of(args: argparse.Namespace) -> Job:
    """What the flags ask for.

    Raises:
        UserError: If no published config is known and none is named.
    """
    dataset, targets = args.dataset, tuple(args.target)
    if args.part == ["test"]:
        dataset, targets = args.source, (args.dataset,)
    elif args.protocol == "dg" and not targets:
        targets = VARIANTS
    method = Method.parse(args.trainer)
    config = args.config or published_config(
        args.protocol, method.trainer, dataset, args.backbone, args.shots
    )
    return Job(
        dataset=dataset,
        trainer=method.trainer,
        config=config,
        seed=args.seed,
        ratio=args.ratio,
        shots=args.shots,
        root=args.root,
        output=args.output,
        options=tuple(args.opts),
        protocol=args.protocol,
        backbone=args.backbone,
        targets=targets,
        settings=method.settings,
    )


def run(args: argparse.Namespace) -> None:
    """Run one job, or parts of it, in this process."""
    register_all(base=True)
    run_job(job_of(args), configs_folder(args.configs), args.part, args.load_epoch)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(lambda: run(parse_with_overrides(parser(), argv)))
