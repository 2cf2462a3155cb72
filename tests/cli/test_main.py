"""``npt``: the overview, and what every sub-command has in common."""

import argparse
import contextlib
import importlib
import os
import shlex
import subprocess
import sys

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.cli.help_format import WithDefaults
from npt_plugin.cli.overrides import overrides
from npt_plugin.system.exit_codes import OK, USER


def test_overview_names_every_command(capsys):
    assert cli.main(["--help"]) == OK
    out = capsys.readouterr().out
    assert all(name in out for name in cli.COMMANDS)
    assert cli.main([]) == USER


@pytest.mark.parametrize("line", list(cli.FIRST))
def test_what_comes_first_is_a_command_that_parses(line):
    npt, name, *words = line.split()
    command = importlib.import_module(f"npt_plugin.cli.{name}")
    assert npt == "npt" and command.parser().parse_args(words)


def test_an_unknown_command_gets_the_nearest_name(capsys):
    assert cli.main(["sweeep"]) == USER
    assert "did you mean 'sweep'" in capsys.readouterr().err


def test_base2new_of_version_0_1_is_a_protocol_now(capsys):
    with pytest.raises(SystemExit):
        cli.main(["base2new", "--help"])
    assert "usage: npt protocol" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"], ["sweeep"]])
def test_the_overview_loads_nothing_heavy(words):
    ask = (
        "import sys; from npt_plugin.cli.main import main; main(sys.argv[1:]);"
        "print({'torch', 'numpy', 'clip', 'yacs', 'yaml', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", ask, *words], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def parsers(parser):
    """A parser, and those of its sub-commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_built_alike(name, capsys):
    module = importlib.import_module(f"npt_plugin.cli.{name}")
    assert callable(module.run) and callable(module.main)
    top = module.parser()
    assert top.prog == f"npt {name}" and top.epilog.startswith("example")
    for parser in parsers(top):
        assert parser.formatter_class is WithDefaults and parser.description
        assert "``" not in parser.format_help()
        for action in parser._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), action
            said = " ".join(parser.format_help().split())
            if action.default not in (None, "", False, [], (), argparse.SUPPRESS):
                assert "(default: " in said or "default" in action.help, action
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    assert stop.value.code == 0 and "usage" in capsys.readouterr().out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_ends_by_exit_code(name, monkeypatch, capsys):
    module = importlib.import_module(f"npt_plugin.cli.{name}")
    words = {
        "eval": ["--run", "R"],
        "protocol": ["base2new", "--dataset", "d", "--trainer", "t", "--seed", "1"],
        "report": ["R"],
        "plot": ["R"],
        "predict": ["R", "a.jpg"],
        "export": ["R"],
        "publish": ["R", "F"],
        "pull": ["F", "R"],
        "words": ["R"],
        "data": ["list"],
        "hosts": ["check", "P"],
    }

    def stopped(args):
        raise KeyboardInterrupt("stopped")

    monkeypatch.setattr(module, "run", stopped)
    assert cli.main([name, *words.get(name, [])]) == 130
    assert capsys.readouterr().err == "error: stopped\n"


@pytest.mark.parametrize("words", [["sweep"], ["list"], ["train", "--trainer", "CoOp"]])
def test_a_mistake_that_shows_as_a_command_is_imported_is_one_sentence(words):
    environment = {**os.environ, "NPT_FRAMEWORK": "foo"}
    command = [sys.executable, "-m", "npt_plugin", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == USER and done.stderr.startswith("error: NPT_FRAMEWORK is 'foo'")
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_while_a_command_is_imported(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_module", interrupted)
    assert cli.main(["list"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_example_stands_on_its_line_and_parses(name):
    parser = importlib.import_module(f"npt_plugin.cli.{name}").parser()
    lines = [line for line in parser.format_help().splitlines() if line.startswith("  npt ")]
    assert lines
    for line in lines:
        npt, command, *words = shlex.split(line)
        assert command == name
        overrides(parser.parse_known_args(words)[1])


@pytest.mark.parametrize("name", cli.ALONE)
def test_what_starts_runs_is_not_done_by_each_of_several_processes(name, monkeypatch, capsys):
    told = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}
    for variable, value in told.items():
        monkeypatch.setenv(variable, value)
    assert cli.main([name]) == USER
    assert "WORLD_SIZE is 2" in capsys.readouterr().err


def test_what_many_runs_need_is_sent_for_where_many_are_started(monkeypatch, capsys):
    sent = []
    monkeypatch.setattr(cli, "expect_runs", lambda: sent.append("sent"))
    for words in (["sweep", "--help"], ["sweep", "--plan", "--sedes"], ["demo", "-h"], ["list"]):
        with contextlib.suppress(SystemExit):
            cli.main(words)
    assert not sent
    with contextlib.suppress(SystemExit):
        cli.main(["sweep", "--no-such-flag"])
    assert sent == ["sent"]
