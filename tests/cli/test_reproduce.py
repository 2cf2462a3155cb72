"""``npt reproduce`` on miniature trees in the real layouts of all eleven datasets."""

import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import mini_trees
import pytest
from cifar_files import cifar100_tree

from npt_plugin.cli import main as cli
from npt_plugin.cli import reproduce, sweep_plan
from npt_plugin.registration import register_all
from npt_plugin.reproduction import figures, tables
from npt_plugin.reproduction.presets import presets_of
from npt_plugin.reproduction.tables import PublishedTable
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.record import is_completed
from npt_plugin.sweep.dataset_groups import GROUPS
from npt_plugin.sweep.pace import Pace

ELEVEN = GROUPS["fewshot11"]
SEVEN = {*ELEVEN} - {"fgvc_aircraft", "food101", "imagenet", "sun397"}
"""Those whose published classes and counts are known (``mini_trees.PUBLISHED``)."""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Small copies of two."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("DescribableTextures", "EuroSAT"):
        mini_trees.BUILDERS[name](folder)
    return folder


@pytest.fixture(scope="module")
def published_root(tmp_path_factory):
    """All eleven: seven with the published class names and counts, small copies of the others."""
    folder = tmp_path_factory.mktemp("published")
    for name in {*mini_trees.BUILDERS} - {*mini_trees.TEST_ONLY}:
        if name in mini_trees.PUBLISHED:
            mini_trees.published_split(folder, name)
        else:
            mini_trees.BUILDERS[name](folder)
    return folder


@pytest.fixture
def small_table(tree, root, tmp_path, monkeypatch):
    """``small_table("dtd", ...)``: a table of the published form, of a small random CLIP.

    Its published numbers are made up, its tolerances wide; the command's words are returned.
    """
    shutil.copytree(configs_folder() / "datasets", tree / "datasets", dirs_exist_ok=True)
    monkeypatch.setattr(reproduce, "configs_folder", lambda: tree)
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # Dassl's logger replaces it
    register_all(base=True)

    def make(*datasets: str, seeds=(1, 2)) -> list[str]:
        table = PublishedTable(
            "small",
            "A small table",
            protocol="base2new",
            datasets=datasets,
            methods={"CLIP": "ZeroshotCLIP", "CoOp": "CoOp"},
            figures="made_up.csv",
            shots=2,
            config="small",
            seeds=seeds,
            spread={"base": 60.0, "new": 60.0},
            floor=100.0,
        )
        row = {"base": 50.0, "new": 50.0, "H": 50.0, "seeds": 2, "source": "made up"}
        rows = [
            {"method": method, "dataset": name, **row}
            for method in table.methods
            for name in (*datasets, "average")
        ]
        monkeypatch.setattr(figures, "published", lambda name: rows)
        monkeypatch.setitem(tables.TABLES, "small", table)
        held = presets_of(table.grid("", "").jobs(), tree)
        monkeypatch.setattr(reproduce, "stored", lambda name: held)
        return ["small", "--root", str(root), "--output", str(tmp_path / "out"), "--jobs", "2"]

    return make


@pytest.fixture
def tree(tmp_path, small_clip_file):
    """Configs of two trainers for the random CLIP."""
    for name in ("CoOp", "ZeroshotCLIP"):
        folder = tmp_path / "configs" / "trainers" / name
        folder.mkdir(parents=True)
        (folder / "small.yaml").write_text(
            f"MODEL: {{CLIP_WEIGHTS: {small_clip_file}}}\n"
            "INPUT: {SIZE: [32, 32], TRANSFORMS: [normalize]}\n"
            "OPTIM: {NAME: sgd, LR: 0.1, MAX_EPOCH: 1, LR_SCHEDULER: cosine}\n"
            "DATALOADER: {NUM_WORKERS: 0, TRAIN_X: {BATCH_SIZE: 4}}\n"
            "TRAINER: {COOP: {N_CTX: 2}}\n"
        )
    return tmp_path / "configs"


def held(tmp_path) -> dict:
    return json.loads((tmp_path / "out" / "reproduce_small.json").read_text())


def killed_after_one_job(output: Path) -> threading.Thread:
    """A thread that sends this process SIGTERM when a first job below ``output`` is complete."""

    def wait():
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if any(is_completed(path.parent) for path in output.glob("*/test_new/**/results.json")):
                break
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.slow
def test_all_eleven_are_killed_go_on_and_are_judged(small_table, published_root, tmp_path, capfd):
    words = small_table(*ELEVEN, seeds=(1,))
    words[2] = str(published_root)
    thread = killed_after_one_job(tmp_path / "out")
    assert cli.main(["reproduce", *words]) == 143
    thread.join()
    out = capfd.readouterr().out
    assert "22 runs, 0 completed already, 22 to do" in out and "Verdict" not in out
    assert not (tmp_path / "out" / "reproduce_small.json").exists()
    assert cli.main(["reproduce", *words]) == 0
    out = capfd.readouterr().out
    left = int(re.search(r"(\d+) to do", out)[1])
    assert 0 < left < 22 and f"{22 - left} completed already" in out
    assert "Verdict: reproduced: 72 of 72 figures inside" in out
    environment = held(tmp_path)["environment"]
    assert environment["runs"] == 44 and len(environment["config_hashes"]) == 44
    assert {*environment["datasets"]} == {*ELEVEN}
    told = {name for name, found in environment["datasets"].items() if found["as_published"]}
    assert told == SEVEN
    dtd = environment["datasets"]["dtd"]["counts"]
    assert dtd.startswith("47 classes, 2,820 training, 1,128 validation and 1,692 test")
    runs = {run.read_text() for run in (tmp_path / "out").glob("**/train_base/**/results.json")}
    assert any('"Highway or Road"' in run for run in runs)  # the real names are what is read
    assert str(tmp_path) not in json.dumps(held(tmp_path))


@pytest.mark.slow
def test_a_part_then_the_rest_then_a_wrong_hyper_parameter(small_table, tree, tmp_path, capfd):
    words = small_table("dtd", "eurosat")
    assert cli.main(["reproduce", *words, "--datasets", "dtd", "--seeds", "1"]) == 0
    out = capfd.readouterr().out
    assert "2 runs, 0 completed already, 2 to do" in out
    assert "Verdict: partial, inside so far: 6 of 6 figures inside" in out
    assert "12 of 18 figures have no number of ours yet" in out
    assert cli.main(["reproduce", *words]) == 0
    out = capfd.readouterr().out
    assert "6 runs, 2 completed already, 4 to do" in out
    assert "Verdict: reproduced: 18 of 18 figures inside" in out

    record = next(
        (tmp_path / "out").glob("base2new/train_base/dtd/*/*/CoOp/small/seed1/results.json")
    )
    run = json.loads(record.read_text())
    run["config"]["OPTIM"]["LR"] = 0.2
    record.write_text(json.dumps(run))
    assert cli.main(["reproduce", *words, "--judge"]) == 1
    assert "Verdict: not the preset: OPTIM.LR: 0.1 -> 0.2." in capfd.readouterr().out

    planted = tree / "trainers" / "CoOp" / "small.yaml"
    planted.write_text(planted.read_text().replace("MAX_EPOCH: 1", "MAX_EPOCH: 3"))
    assert cli.main(["reproduce", *words]) == 2
    out, err = capfd.readouterr()
    assert "not the preset: OPTIM.MAX_EPOCH: 1 -> 3" in err and "to do" not in out


def test_absent_data_are_said(small_table, tmp_path, capsys):
    words = small_table("dtd", "eurosat")
    words[2] = str(tmp_path / "nowhere")
    assert cli.main(["reproduce", *words]) == 2
    assert "None of the datasets of small is below" in capsys.readouterr().err
    assert cli.main(["reproduce", *words, "--judge"]) == 2
    assert "holds no completed run of small" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_plan_runs_nothing(small_table, tmp_path, capsys, monkeypatch):
    step, image = (0.5, 0.5), (0.0, 0.0)  # seconds; how they are measured is test_pace's
    pace = Pace(1.0, step, image, (2, 4), 4, 96, 48, True, 1024.0)
    monkeypatch.setattr(sweep_plan, "measure", lambda *given: pace)
    assert cli.main(["reproduce", *small_table(*ELEVEN), "--plan"]) == 0
    out = capsys.readouterr().out
    for said in ("Jobs: 33 (ZeroshotCLIP 11, CoOp 22)", "To do: 66 runs", "Disk: ", "memory: "):
        assert said in out
    assert "measured: CoOp small: a step of 4 images 0.5 s with 2 classes" in out
    assert not (tmp_path / "out").exists()


def test_on_an_engine_that_does_not_wait_the_verdict_comes_later(
    small_table, tmp_path, capsys, monkeypatch
):
    class Cluster:
        name, waits = "cluster", False

        def start(self, plan):
            print(f"submitted {len(plan.jobs)}")

    monkeypatch.setattr(reproduce, "engine_of", lambda args: Cluster())
    words = small_table("dtd", "eurosat")
    assert cli.main(["reproduce", *words]) == 0
    out = capsys.readouterr().out
    assert "submitted 6" in out and "the same command with --judge" in out
    assert "Verdict" not in out
    assert cli.main(["reproduce", *words, "--status"]) == 0
    assert "6 runs: 6 waiting" in capsys.readouterr().out


def test_the_list_of_tables(capsys):
    assert cli.main(["reproduce"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in tables.TABLES)


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["maple-base2new", "OPTIM.LR", "1"], "takes no config keys (OPTIM.LR)"),
        (["cocoop-table3"], "did you mean 'cocoop-table2'"),
        (["maple-base2new", "--datasets", "dtt"], "did you mean 'dtd'"),
        (["maple-base2new", "--seeds", "3-1"], "--seeds has '3-1'"),
        (["maple-base2new", "--engine", "slurn"], "did you mean 'slurm'"),
        (["maple-base2new", "--status"], "holds no sweep"),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence, capsys, tmp_path):
    assert cli.main(["reproduce", *words, "--output", str(tmp_path / "o")]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1
    assert not Path(tmp_path / "o").exists()


@pytest.fixture
def long_tailed(tmp_path, small_clip_file, monkeypatch):
    """LIFT's table on a miniature CIFAR100-LT for a small random CLIP; the command's words."""
    tree = tmp_path / "configs"
    shutil.copytree(configs_folder() / "datasets", tree / "datasets")
    (tree / "trainers" / "FineTune").mkdir(parents=True)
    preset = (configs_folder() / "trainers/FineTune/vit_b16_lift_ep10.yaml").read_text()
    for old, new in {
        "{BACKBONE: {NAME: ViT-B/16}}": f"{{CLIP_WEIGHTS: {small_clip_file}}}",
        "SIZE: (224, 224)": "SIZE: (32, 32)",
        "TEST_RESIZE: 256": "TEST_RESIZE: 36",
        "MAX_EPOCH: 10": "MAX_EPOCH: 1",
        "BATCH_SIZE: 128": "BATCH_SIZE: 8",
        "NUM_WORKERS: 4": "NUM_WORKERS: 0",
    }.items():
        assert old in preset
        preset = preset.replace(old, new)
    (tree / "trainers/FineTune/small.yaml").write_text(preset)
    monkeypatch.setattr(reproduce, "configs_folder", lambda: tree)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    register_all(base=True)
    table = replace(tables.TABLES["lift-longtail"], config="small", floor=100.0)
    monkeypatch.setitem(tables.TABLES, "lift-longtail", table)
    held = presets_of(table.grid("", "").jobs(), tree)
    monkeypatch.setattr(reproduce, "stored", lambda name: held)
    cifar100_tree(tmp_path / "data")
    words = ["lift-longtail", "--root", str(tmp_path / "data"), "--output", str(tmp_path / "out")]
    return [*words, "--jobs", "1"]


@pytest.mark.slow
def test_lifts_table_is_planned_run_and_judged_and_a_wrong_number_turns_it(
    long_tailed, tmp_path, capfd, monkeypatch
):
    pace = Pace(1.0, (0.5, 0.5), (0.0, 0.0), (2, 4), 4, 96, 48, True, 1024.0)
    monkeypatch.setattr(sweep_plan, "measure", lambda *given: pace)
    assert cli.main(["reproduce", *long_tailed, "--plan"]) == 0
    assert "To do: 6 runs" in capfd.readouterr().out
    words = [*long_tailed, "--datasets", "cifar100_lt", "imagenet_lt"]  # of which one is there
    assert cli.main(["reproduce", *words]) == 0
    held = json.loads((tmp_path / "out" / "reproduce_lift-longtail.json").read_text())
    assert held["verdict"] == "partial, inside so far"
    verdicts = {one["dataset"]: one["verdict"] for one in held["figures"]}
    assert {name for name, word in verdicts.items() if word == "inside"} == {"cifar100_lt"}
    assert held["figures"][0]["column"] == "accuracy (crops)" and held["figures"][0]["n"] == 1
    assert "Datasets that are not there: imagenet_lt" in capfd.readouterr().out
    (record,) = (tmp_path / "out").rglob("results.json")
    record.write_text(record.read_text().replace('"SCALE": 25.0', '"SCALE": 30.0'))
    assert cli.main(["reproduce", *words, "--judge"]) == 1
    assert "Verdict: not the preset: TRAINER.HEAD.SCALE: 25.0 -> 30.0" in capfd.readouterr().out
