"""``npt sweep --plan``."""

from npt_plugin.cli import main as cli


def test_a_plan_runs_nothing(tmp_path, capsys):
    words = ["--datasets", "embedded_shades", "places_lt", "--trainers", "CoOp", "--seeds", "1-2"]
    words += ["--root", str(tmp_path / "data"), "--output", str(tmp_path / "out")]
    words += ["--config", "tiny_ep50_ctxv1", "--plan"]
    assert cli.main(["sweep", *words]) == 0
    out = capsys.readouterr().out
    for said in ("Jobs: 4 (CoOp 4)", "To do: 8 runs", "optimiser steps", "Nothing was run."):
        assert said in out
    assert "Not counted, for their size is not known here: places_lt" in out
    assert "a step of 32 images" in out and "Setting fixed seed" not in out
    assert not (tmp_path / "out").exists()
