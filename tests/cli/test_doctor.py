"""``npt doctor``: a line for everything."""

from npt_plugin.cli import doctor
from npt_plugin.cli import main as cli
from npt_plugin.errors import UserError


def test_there_is_a_line_for_everything(capsys):
    code = cli.main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert code == 0, lines
    assert [line[:13].strip() for line in lines] == list(doctor.CHECKS)
    assert "torch " in lines[0]


def test_what_fails_is_a_line_and_exit_code_1(capsys, monkeypatch):
    def broken():
        raise UserError("there is none")

    monkeypatch.setattr(doctor, "CHECKS", {"weights": broken, "data": lambda: "fine"})
    assert cli.main(["doctor"]) == 1
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert lines == [["weights", "PROBLEM: there is none"], ["data", "fine"]]
