"""docs/clusters.md: every sweep on it is understood, down to its engine and its datasets."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch.distributed.run import get_args_parser

from npt_plugin.cli import eval as evaluation
from npt_plugin.cli import train
from npt_plugin.cli.overrides import parse_with_overrides
from npt_plugin.cli.sweep import grid_of, parser
from npt_plugin.cli.sweep_engine import engine_of, only_looks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clusters.md"


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    """Flags are understood whether or not the packages are installed."""
    for name in ("ray", "submitit"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())


def lines():
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return "\n".join(blocks).replace("\\\n", " ").splitlines()


def sweeps():
    found = [line.removeprefix("exec ").partition("&&")[0] for line in lines()]
    return [line for line in found if line.startswith("npt sweep")]


def launches():
    """What torchrun is to read, without the dots that stand for the rest of a command."""
    found = [line.partition("torchrun ")[2].partition("#")[0] for line in lines()]
    return [line.replace("...", "") for line in found if line]


def test_each_way_to_run_a_sweep_is_on_the_page():
    assert len(sweeps()) >= 7
    asked = {engine_of(parser().parse_args(shlex.split(line)[2:])).name for line in sweeps()}
    assert asked == {"local", "slurm", "ray"}


@pytest.mark.parametrize("line", sweeps())
def test_its_sweeps_are_understood(line):
    args = parse_with_overrides(parser(), shlex.split(line)[2:])
    assert args.opts == [] and engine_of(args)
    if not only_looks(args):
        assert grid_of(args).jobs()


@pytest.mark.parametrize("first, said", [(0, "{} runs: "), (3, "{} runs, 0 completed already")])
def test_the_numbers_of_runs_it_shows_are_those_there_are(first, said):
    jobs = grid_of(parse_with_overrides(parser(), shlex.split(sweeps()[first])[2:])).jobs()
    assert f"\n{said.format(len(jobs))}" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", launches())
def test_torchrun_and_we_understand_what_it_is_to_start(line):
    args = get_args_parser().parse_args(shlex.split(line))
    words, module = args.training_script_args, args.training_script == "npt_plugin"
    assert args.module == module and (module or args.training_script == "train.py")
    command = words.pop(0) if module else "train"
    parsers = {"train": train.parser, "eval": evaluation.parser}
    assert parse_with_overrides(parsers[command](), words).opts == []


@pytest.mark.parametrize("command", [train, evaluation])
def test_behind_two_dashes_torchrun_takes_no_flag_of_ours_for_its_own(command):
    flags = [word for action in command.parser()._actions for word in action.option_strings]
    args = get_args_parser().parse_args(["-m", "npt_plugin", "--", "command", *flags])
    assert len(flags) > 5 and args.training_script_args == ["command", *flags]
