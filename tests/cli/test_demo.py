"""``npt demo``: what it draws and what it hands to the sweep."""

import pytest

from npt_plugin.cli import demo
from npt_plugin.errors import UserError


@pytest.fixture
def calls(monkeypatch):
    found = {}
    monkeypatch.setattr(demo, "ensure_benchmarks", lambda root, names: found.update(drawn=names))
    monkeypatch.setattr(demo.sweep, "main", lambda words: found.update(words=words) or 0)
    return found


def between(words, start):
    rest = words[words.index(start) + 1 :]
    end = next((i for i, word in enumerate(rest) if word.startswith("--")), len(rest))
    return rest[:end]


def test_the_main_job_is_three_methods_on_four_datasets(calls, capsys):
    assert demo.main([]) == 0
    assert len(calls["drawn"]) == 4
    assert between(calls["words"], "--trainers") == ["ZeroshotCLIP", "CoOp", "NPT_CoOp"]
    assert between(calls["words"], "--seeds") == ["1", "2", "3"]
    assert between(calls["words"], "--opts")[-2:] == ["TRAIN.STEPS", "400"]
    assert "400 steps for every method" in capsys.readouterr().out


def test_flags_make_it_smaller(calls):
    words = ["--datasets", "embedded_pairs", "--seeds", "7", "--steps", "60", "--jobs", "1"]
    assert demo.main(words) == 0
    assert calls["drawn"] == ["EmbeddedPairs"]
    assert between(calls["words"], "--datasets") == ["embedded_pairs"]
    assert between(calls["words"], "--seeds") == ["7"]
    assert between(calls["words"], "--opts")[-2:] == ["TRAIN.STEPS", "60"]
    assert between(calls["words"], "--jobs") == ["1"]


def test_a_dataset_that_is_not_drawn_is_refused(calls, capsys):
    with pytest.raises(SystemExit) as stopped:
        demo.main(["--datasets", "oxford_pets"])
    assert stopped.value.code == 2 and "'oxford_pets'" in capsys.readouterr().err
    assert calls == {}


def test_a_folder_that_cannot_be_written_ends_in_one_sentence(monkeypatch, capsys):
    def refuse(*_):
        raise UserError("Cannot write there.")

    monkeypatch.setattr(demo, "ensure_benchmarks", refuse)
    assert demo.main([]) == 2
    assert capsys.readouterr().err == "error: Cannot write there.\n"
