"""What is printed and written."""

import json

from npt_plugin.reproduction.comparing import compare
from npt_plugin.reproduction.data_at_hand import Verified
from npt_plugin.reproduction.write import write


def test_table_verdict_and_record(table, jobs, published_runs, tmp_path, capsys, presets):
    data = {"dtd": Verified(True, as_published=False), "eurosat": Verified(False)}
    verdict = write(compare(table, jobs, presets), data, tmp_path)
    out = capsys.readouterr().out
    assert verdict.good and "Verdict: reproduced: 18 of 18 figures inside" in out
    assert "| CoOp" in out and "80.00 ± 1.00" in out and "Note: Made up." in out
    assert "Datasets that are not there: eurosat." in out
    assert "Not the published split: dtd." in out and "Published: nowhere." in out
    held = json.loads((tmp_path / "reproduce_two.json").read_text())
    assert held["verdict"] == "reproduced" and len(held["figures"]) == 18
    assert held["environment"]["runs"] == 16
    text = (tmp_path / "reproduce_two.md").read_text()
    assert text.startswith("# Two datasets\n") and text[2:].strip() in out


def test_what_is_not_the_preset_is_said_with_its_runs(table, jobs, put, tmp_path, capsys, presets):
    put("dtd", "CoOp", 1, 80, 40, lr=0.1)
    write(compare(table, jobs, presets), {}, tmp_path)
    out = capsys.readouterr().out
    assert "not the preset: OPTIM.LR: 0.002 -> 0.1 (dtd CoOp, dtd CoOp (new))" in out
    assert "Verdict: not the preset: OPTIM.LR: 0.002 -> 0.1." in out
