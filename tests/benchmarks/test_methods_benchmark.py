"""The methods benchmark: what it compares, how it counts, and that the documents say the same."""

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"


WEIGHTS_3 = "LC anchored 3, MI pull 3, EMA 0.9"


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "methods"))


def record(method, seed, dataset, h, **more):
    from one_run import COLLAPSE, SCORES

    rest = {name: 50.0 for name in (*SCORES, "base", "new")}
    geometry = {f"{half}_{name}": 0.5 for half in ("base", "new") for name in COLLAPSE}
    return {
        "method": method,
        "dataset": dataset,
        "ratio": 0.06,
        "rule": "steps",
        "seed": seed,
        "config_hash": "0",
        "H": h,
        **rest,
        **geometry,
        **more,
    }


def test_tuning_shares_neither_data_nor_seeds_with_the_report():
    import plan
    import tuning

    report = list(plan.report_runs())
    assert not {run.dataset for run in report} & set(plan.TUNING_DATASETS)
    assert not {run.seed for run in report} & {run.seed for run in tuning.runs()}


def test_every_run_has_a_folder_of_its_own_whose_name_fits():
    import plan
    import tuning
    from one_run import job_of

    for runs in (list(plan.report_runs()), tuning.runs()):
        folders = {job_of(run, "data", "out").folder() for run in runs}
        assert len(folders) == len(runs)
        assert max(len(part) for folder in folders for part in folder.parts) < 250


def test_equal_steps_are_the_balanced_steps():
    """400 steps: 256 images of 16 classes in batches of 32, 50 epochs; and so on."""
    import plan

    from npt_plugin.config import extend_cfg
    from npt_plugin.engine.framework import get_cfg_default
    from npt_plugin.runs.settings import merge_file

    for base, config in plan.CONFIGS.items():
        cfg = extend_cfg(get_cfg_default())
        merge_file(cfg, str(ROOT / f"configs/trainers/{base}/{config}.yaml"))
        batches = 16 * plan.SHOTS // cfg.DATALOADER.TRAIN_X.BATCH_SIZE
        assert plan.BALANCED_STEPS[base] == batches * cfg.OPTIM.MAX_EPOCH


def test_differences_are_paired_by_seed_and_averaged_over_datasets():
    from evidence_tables import over_datasets, overview, paired, signed, table
    from plan import DATASETS

    records = []
    for seed, base, gain in ((1, 60.0, 2.0), (2, 80.0, 4.0)):
        for i, dataset in enumerate(DATASETS):
            records.append(record("CoOp", seed, dataset, base + i))
            records.append(record("NPT_CoOp (v3)", seed, dataset, base + i + gain))
    records.append(record("NPT_CoOp (v3)", 3, DATASETS[0], 99.0))  # not on every dataset: left out
    ours, base = (over_datasets(records, m, 0.06, "steps") for m in ("NPT_CoOp (v3)", "CoOp"))
    assert sorted(ours) == [1, 2]
    assert paired(ours, base, "H") == pytest.approx([2.0, 4.0])
    # t(0.975, 1) = 12.706; sd of 2, 4 is sqrt 2; over sqrt 2 seeds
    assert signed([2.0, 4.0]) == "+3.0 [-9.7, +15.7]"
    cells = {line.split("|")[1].strip(): line for line in overview(records).splitlines()}
    assert "H 71.5 ± 14.1 (2)" in cells["CoOp"]  # 60, 80, and 1.5 for the datasets' offsets
    assert "+3.0 [-9.7, +15.7] (2)" in cells["NPT_CoOp (v3)"]
    assert set(cells["CoCoOp"].split()[3::2]) == {"-"}  # nothing ran
    rows = {row[0]: row for row in table(records, 0.06, "steps")}
    assert rows["NPT_CoOp (v3)"][5] == "+3.0 [-9.7, +15.7]" and rows["CoOp"][5] == ""


def test_correlation_is_within_a_dataset():
    """Two datasets whose means lie the other way round must not turn the sign."""
    from evidence_tables import correlation

    rng, records = np.random.default_rng(0), []
    for seed in range(30):
        for dataset, offset in (("a", 0.0), ("b", 10.0)):
            x = rng.normal()
            new = 3 * x - 50 * offset + 0.01 * rng.normal()
            records.append(record("CoOp", seed, dataset, 0.0, base_nc3_cosine=x + offset, new=new))
    found = correlation(records, "base_nc3_cosine", "new")
    assert found["pearson"][0] > 0.99 and found["spearman"][0] > 0.99
    assert found["pearson"][1] <= found["pearson"][0] <= found["pearson"][2]


def test_a_run_is_a_run_of_the_sweep_and_its_record_is_flat(tmp_path, monkeypatch):
    import one_run
    from plan import METHODS, Run

    from npt_plugin.embedded.benchmarks import ensure_benchmarks
    from npt_plugin.runs.configs import configs_folder
    from npt_plugin.sweep.job import run_job

    ensure_benchmarks(tmp_path / "data", ["EmbeddedShades"], per_class=(16, 2, 2))
    run = Run(METHODS[1], "embedded_shades", 0.06, "epochs", 1)
    monkeypatch.setattr(Run, "options", ("OPTIM.MAX_EPOCH", "1"))
    monkeypatch.setattr(Run, "views", ("INPUT.CACHED_VIEWS", "1"))
    job = one_run.job_of(run, str(tmp_path / "data"), str(tmp_path / "out"))
    run_job(job, configs_folder())
    found = one_run.flat_record(run, job)
    assert found["method"] == "NPT_CoOp (v3)" and 0 < found["H"] < 100
    assert found["base_nc3_cosine"] is not None and found["new_nc3_cosine"] is not None


def test_csv_keeps_what_it_was_given(tmp_path):
    from study_records import read_csv, write_csv

    records = [record("NPT_CoOp, LC alone", 3, "d", 61.25, few=None)]
    write_csv(records, tmp_path / "runs.csv")
    assert read_csv(tmp_path / "runs.csv") == records


def test_runs_of_the_csv_are_not_repeated_and_new_ones_join_it(tmp_path, monkeypatch):
    """A clone has the CSV but no folder of runs: more seeds must not cost the old ones."""
    import study
    from plan import METHODS, Run
    from study_records import read_csv, write_csv

    from npt_plugin.sweep.job import Job

    def run_all(jobs, configs, parallel):
        ran.extend(job.seed for job in jobs)
        return {}

    ran, csv = [], tmp_path / "runs.csv"
    write_csv([record("NPT_CoOp (v3)", 1, "d", 61.25)], csv)
    runs = [Run(METHODS[1], "d", 0.06, "steps", seed) for seed in (2, 1)]
    monkeypatch.setattr(study.workers, "run_all", run_all)
    monkeypatch.setattr(Job, "done", lambda job: job.seed in ran)
    monkeypatch.setattr(
        study, "flat_record", lambda run, job: record(run.method.name, run.seed, run.dataset, 70.0)
    )
    for _ in range(2):  # the second time nothing is left to do
        assert study.run_all(runs, "data", str(tmp_path / "out"), 1, csv) == []
        assert ran == [2]
        assert [(r["seed"], r["H"]) for r in read_csv(csv)] == [(1, 61.25), (2, 70.0)]


def test_the_report_is_what_the_runs_say():
    """docs/evidence.md is the output of the committed command on the committed runs."""
    import study

    text = study.evidence(study.RUNS)
    assert study.EVIDENCE.read_text(encoding="utf-8") == text
    assert study.SCATTER.exists()


def test_methods_document_quotes_the_tuning(capsys):
    import tuning

    tuning.main(["table"])
    known = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    cells = [tuple(c.strip() for c in line.strip("|").split("|")) for line in known]
    rows = {c[0]: [c[i] for i in (2, 3, 4, 5, 6, 8)] for c in cells if len(c) == 9}
    document = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    part = document.split("### How the defaults were chosen")[1].split("What it says")[0]
    quoted = [line for line in part.splitlines() if line.startswith("| ")][1:]
    assert len(quoted) > 15
    for line in quoted:
        name, *values = (c.strip() for c in line.strip("|").split("|"))
        assert rows[name] == values


@pytest.mark.parametrize(
    ("heading", "end", "rows"),
    [("### Where it is weak", "What it says", 15), ("### What the geometry is worth", "###", 10)],
)
def test_methods_document_quotes_what_came_later(capsys, heading, end, rows):
    import tuning

    tuning.main(["table"])
    known = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    document = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    part = document.split(heading)[1].split(end)[0]
    quoted = [line for line in part.splitlines() if line.startswith("| ")]
    assert len(quoted) > rows and set(quoted) <= known


def test_candidates_are_set_beside_the_former_default_over_five_settings():
    """A seed counts if it has run on both datasets in all five settings."""
    import plan
    import tuning

    name = "NPT_CoOp: prior of 4 images, weights 10"
    settings = [(r, rule) for r in (0.06, 0.25, 1.0) for rule in plan.rules(r)]
    former = tuning.FORMER["CoOp"]
    values = {"CoOp": 60.0, former: 62.0, name: 63.0}
    records = [
        record(method, seed, data, h + seed - 101, ratio=ratio, rule=rule)
        for method, h in values.items()
        for data in plan.TUNING_DATASETS
        for ratio, rule in settings
        for seed in (101, 102)
        if (method, ratio, seed) != (name, 1.0, 102)
    ]
    rows = {row[0]: row[1:] for row in tuning.five_rows_of(records)}
    assert list(rows) == ["CoOp", former, name]
    assert rows[name] == ["1", *["+3.0 [+3.0, +3.0]"] * 4, "+3.0", "+1.0"]
    assert rows[former][-1] == ""


def test_tuning_at_milder_imbalance_pairs_by_seed_and_leaves_half_seeds_out():
    """Two datasets; balanced data know one rule; a seed with one dataset is no seed."""
    import plan
    import tuning

    first, second = plan.TUNING_DATASETS
    runs = [("CoOp", first, 101, 60.0), ("CoOp", second, 101, 62.0), ("CoOp", first, 102, 0.0)]
    runs += [(WEIGHTS_3, first, 101, 64.0), (WEIGHTS_3, second, 101, 65.0)]
    records = [
        record(method, seed, data, h, rule="epochs", ratio=1.0, few=None)
        for method, data, seed, h in runs
    ]
    base, ours = tuning.mild_rows_of(records)
    assert base[:6] == ["CoOp", "0", "-", "-", "1", "+0.0"]
    assert ours[:6] == [WEIGHTS_3, "0", "-", "-", "1", "+3.5"]  # (4 + 3) / 2


def test_committed_runs_are_those_of_the_plan():
    import plan
    import study
    from study_records import key, read_csv

    found = [key(record) for record in read_csv(study.RUNS)]
    planned = {run.key for run in plan.report_runs()}
    assert len(found) == len(planned) and set(found) == planned


def test_what_npt_has_more_than_its_neighbours_is_paired_by_seed():
    """KgCoOp's second seed lacks a dataset: one pair is left; of the others there is none."""
    from evidence_tables import beside_neighbours
    from plan import DATASETS

    ours = "NPT_CoOp (v3)"
    records = [record("KgCoOp", 2, DATASETS[0], 10.0)]
    for place, dataset in enumerate(DATASETS):
        records += [record(ours, seed, dataset, h + place) for seed, h in ((1, 70.0), (2, 99.0))]
        records.append(record("KgCoOp", 1, dataset, 67.5))
    lines = beside_neighbours(records, 0.06, ours).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    equal_steps = ["+4.0 (1)", "+0.0 (1)", "+0.0 (1)"]  # H: 2.5 + (0 + 1 + 2 + 3) / 4
    assert cells[0] == ["KgCoOp", *3 * ["- (0)"], *equal_steps]
    assert cells[1][1:] == 6 * ["- (0)"]
