"""``npt report``: exit codes and the switch for pictures."""

import shutil

import pytest

from npt_plugin.cli import main as cli


def test_a_plain_run_is_listed(trained_run, tmp_path, capsys):
    shutil.copytree(trained_run, tmp_path / "out/try")
    assert cli.main(["report", str(tmp_path / "out"), "--no-plots"]) == 0
    out = capsys.readouterr().out
    assert "try" in out and "NPT_CoOp" in out and "report.html" in out
    assert (tmp_path / "out/report.html").is_file()


@pytest.mark.parametrize("name", ["empty", "absent"])
def test_a_folder_without_runs_is_one_sentence(tmp_path, name, capsys):
    (tmp_path / "empty").mkdir()
    assert cli.main(["report", str(tmp_path / name)]) == 2
    assert "holds no completed run" in capsys.readouterr().err
    assert not (tmp_path / name / "report.html").exists()
