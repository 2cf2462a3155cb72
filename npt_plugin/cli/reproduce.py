"""Run a published table again with its locked presets; say whether ours agrees with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.cli.overrides import parse_with_overrides
from npt_plugin.cli.sweep import numbers
from npt_plugin.cli.sweep_engine import add_engine_flags, engine_of, look, run_on
from npt_plugin.cli.sweep_plan import print_plan
from npt_plugin.errors import UserError
from npt_plugin.registration import register_all
from npt_plugin.reproduction.comparing import compare, drifts_of
from npt_plugin.reproduction.data_at_hand import verify_datasets, with_data
from npt_plugin.reproduction.presets import Presets, config_of, stored
from npt_plugin.reproduction.tables import TABLES, PublishedTable, table_named
from npt_plugin.reproduction.write import write
from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep.engines import Engine
from npt_plugin.sweep.engines.local import Local
from npt_plugin.sweep.job import Job
from npt_plugin.system.exit_codes import FAILED, OK, exit_code


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt reproduce``."""
    p = argparse.ArgumentParser(
        prog="npt reproduce",
        description=__doc__,
        epilog=examples(
            "npt reproduce",
            "npt reproduce cocoop-table2 --root /data --plan",
            "npt reproduce maple-base2new --root /data --datasets dtd eurosat --per-device 2",
            note="The presets are locked: config keys are not taken.",
        ),
        formatter_class=WithDefaults,
    )
    p.add_argument("table", nargs="?", default="", help="a published table; none: list them")
    p.add_argument("--datasets", nargs="+", default=[], metavar="NAME", help="some of the table's")
    p.add_argument("--seeds", nargs="+", default=[], metavar="N", help="1-3, 5; none: the table's")
    p.add_argument("--root", default="", help="folder of the datasets; none: ./data")
    p.add_argument("--output", default="output/reproduce", help="top folder of all runs")
    p.add_argument("--jobs", type=int, default=0, help="runs at a time; 0: one a core")
    about = "runs at a time on each GPU, in place of --jobs; a machine without one is one device"
    p.add_argument("--per-device", type=int, default=0, metavar="K", help=about)
    p.add_argument("--plan", action="store_true", help="say what it will take, run nothing")
    add_engine_flags(p, "stay until the runs have ended, wherever they run, then judge")
    p.set_defaults(together=False, plots=None, reference="")
    p.add_argument("--judge", action="store_true", help="judge the runs that are there, run none")
    return p


def run(args: argparse.Namespace) -> int:
    """Run what is missing of the table, then judge it; 1 unless all that is known is inside."""
    if args.opts:
        raise UserError(
            f"npt reproduce takes no config keys ({args.opts[0]}): its presets are locked; "
            "npt sweep takes them."
        )
    if not args.table:
        print(listed())
        return OK
    table = table_named(args.table)
    if args.status:
        return look(args)
    engine = engine_of(args)
    register_all(base=True)
    configs = configs_folder()
    grid = table.grid(args.root, args.output, args.datasets, numbers(args.seeds))
    jobs = grid.jobs()
    if args.plan:
        print(f"{table.name}: {table.title}")
        here = len(Local(args.jobs, args.per_device).environments())
        print_plan(jobs, configs, args.workers or here)
        return OK
    return _reproduce(table, jobs, configs, engine, args)


def listed() -> str:
    """The tables, a line each."""
    width = max(map(len, TABLES))
    return "\n".join(f"{name:<{width}}  {table.title}" for name, table in TABLES.items())


def _reproduce(
    table: PublishedTable,
    jobs: Sequence[Job],
    configs: Path,
    engine: Engine,
    args: argparse.Namespace,
) -> int:
    presets, failed = stored(table.name), False
    verified = verify_datasets(jobs, configs)
    if not args.judge:
        _refuse_other_configs(presets, jobs, configs)
        at_hand = with_data(jobs, verified)
        if not at_hand:
            raise UserError(
                f"None of the datasets of {table.name} is below {args.root or './data'}: "
                "npt data download has them; give their folder with --root."
            )
        status = run_on(engine, at_hand, configs, args.follow)
        if status is None:
            print("The runs go on elsewhere; for the verdict, the same command with --judge.")
            return OK
        for job, reason in status.failed:
            print(f"failed: {job.name}: {reason}", file=sys.stderr)
        failed = bool(status.failed)
    comparison = compare(table, jobs, presets)
    if not comparison.runs:
        raise UserError(f"{args.output} holds no completed run of {table.name}: nothing to judge.")
    verdict = write(comparison, verified, Path(args.output))
    return OK if verdict.good and not failed else FAILED


def _refuse_other_configs(presets: Presets, jobs: Sequence[Job], configs: Path) -> None:
    alike = dict.fromkeys(replace(job, seed=0) for job in jobs)  # seeds make no difference
    drifts = drifts_of(presets, [(job.steps()[0], config_of(job, configs)) for job in alike])
    if drifts:
        raise UserError(
            f"Nothing was run, for the configs in {configs} are not the preset: "
            f"{'; '.join(drifts)}. Undo that, or judge the runs that are there with --judge."
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(lambda: run(parse_with_overrides(parser(), argv)))
