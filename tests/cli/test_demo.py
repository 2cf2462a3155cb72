"""``npt demo``: what it draws and what it runs."""

import pytest

from npt_plugin.cli import demo
from npt_plugin.errors import UserError


@pytest.fixture
def calls(monkeypatch):
    found = {}
    monkeypatch.setattr(demo, "ensure_benchmarks", lambda root, names: found.update(drawn=names))

    def start(args, engine, jobs, configs):
        found.update(jobs=jobs, engine=engine)
        return 0

    monkeypatch.setattr(demo, "start", start)
    return found


def test_the_main_job_asks_its_question_under_both_rules(calls, capsys):
    """Ten seeds at equal epochs, three at equal steps, zero-shot CLIP once a dataset."""
    assert demo.main([]) == 0
    assert len(calls["drawn"]) == 4
    seeds = {}
    for job in calls["jobs"]:
        seeds.setdefault((job.dataset, str(job.method)), []).append(job.seed)
        assert job.ratio == 0.06 and job.options == ("INPUT.CACHED_VIEWS", "8")
    assert len(seeds) == 4 * 5
    for (_, method), found in seeds.items():
        if method == "ZeroshotCLIP":
            assert found == [1]
        else:
            assert found == ([1, 2, 3] if "steps=balanced" in method else list(range(1, 11)))
    assert "in the rows steps=balanced" in capsys.readouterr().out


def test_flags_make_it_smaller(calls):
    words = ["--datasets", "embedded_pairs", "--seeds", "7", "--shots", "4", "--jobs", "1"]
    assert demo.main(words) == 0
    assert calls["drawn"] == ["EmbeddedPairs"] and calls["engine"].jobs == 1
    assert {(j.dataset, j.seed, j.shots) for j in calls["jobs"]} == {("embedded_pairs", 7, 4)}
    assert [str(j.method) for j in calls["jobs"]] == ["ZeroshotCLIP", "CoOp", "NPT_CoOp"]


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
