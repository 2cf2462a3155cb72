"""A host's own train.py, from the command line: unedited, or with the two lines of the README."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import host_world
import pytest
import torch

HOSTS = ("CoOp",)
FILES = {"CoOp": "CoOp/vit_b16", "CoCoOp": "CoCoOp/vit_b16_c4_ep10_batch1_ctxv1"}
KEYS = {
    "CoOp": {"TRAINER__COOP__PREC": "fp32"},
    "CoCoOp": {"TRAINER__COCOOP__PREC": "fp32", "DATALOADER__TRAIN_X__BATCH_SIZE": 2},
}
WEIGHTS = {"CoOp": "small"}

pytestmark = pytest.mark.skipif(
    bool(host_world.missing(*HOSTS)), reason=host_world.missing(*HOSTS) or "-"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return host_world.build_world(tmp_path_factory.mktemp("world"))


def words(world: Path, trainer: str, out: Path, *flags: str, **keys: object) -> list[str]:
    method = trainer.removeprefix("NPT").strip("_-")
    base = {"DATASET__SUBSAMPLE_CLASSES": "base", **KEYS[method]}
    return [
        "train.py",
        "--root",
        str(world / "data"),
        "--seed",
        "1",
        "--trainer",
        trainer,
        "--dataset-config-file",
        "configs/datasets/oxford_pets.yaml",
        "--config-file",
        f"configs/trainers/{FILES[method]}.yaml",
        "--output-dir",
        str(out),
        *flags,
        *host_world.options(**{**base, **keys}),
    ]


def train_and_test(world: Path, trainer: str, out: Path, **keys: object) -> list[list[str]]:
    """Train on the base classes; then evaluate that checkpoint on the new ones."""
    evaluate = ("--eval-only", "--model-dir", str(out), "--load-epoch", "2")
    new = {**keys, "DATASET__SUBSAMPLE_CLASSES": "new"}
    return [
        words(world, trainer, out, **keys),
        words(world, trainer, Path(f"{out}_new"), *evaluate, **new),
    ]


def chain(world: Path, host: str, runs: list[list[str]], dassl: bool = True) -> list[str]:
    """Output of each run, all in one process of that host."""
    plan = world / "plan.json"
    plan.write_text(json.dumps([{"arguments": run} for run in runs]))
    script = str(host_world.HERE / "chain_job.py")
    folder = host_world.host_folder(host)
    output = host_world.run([script, str(plan)], world, folder, WEIGHTS[host], dassl)
    assert output.count("@@ exit 0") == len(runs), output[-3000:]
    return output.split("@@ run ")[1:]


def accuracies(outputs: list[str]) -> list[float]:
    return [float(re.findall(r"\* accuracy: ([\d.]+)%", output)[-1]) for output in outputs]


def steps(output: str) -> int:
    return len(re.findall(r"^epoch \[\d/2\] batch \[\d/\d\]", output, re.M))


def learned(folder: Path, epoch: int = 2) -> dict[str, torch.Tensor]:
    from npt_plugin.system.safe_checkpoints import read_checkpoint

    (file,) = folder.glob(f"*/model.pth.tar-{epoch}")
    return read_checkpoint(file)["state_dict"]


def test_our_own_npt_trainers_take_the_names_of_the_hosts(world: Path, tmp_path: Path) -> None:
    runs = [
        run for t in ("NPT_CoOp", "NPT_CoCoOp") for run in train_and_test(world, t, tmp_path / t)
    ]
    outputs = chain(world, "CoOp", runs)
    for trained, tested in zip(outputs[::2], outputs[1::2], strict=True):
        assert steps(trained) >= 6
        assert re.search(r"\blc \d.*\bmi \d", trained)  # the terms, by name
        assert "Evaluate on the *test* set" in tested
        assert re.search(r"\* total: 12\b", tested)  # three new classes, four images each
    assert len(accuracies(outputs)) == 4


def test_command_line_and_host_base(world: Path, tmp_path: Path) -> None:
    """The real command; ``TRAINER.NPT.BASE host`` and the hyphenated name give the wrapped one."""
    run = words(world, "NPT-CoOp", tmp_path / "run", TRAINER__NPT__BASE="host")
    output = host_world.run(
        ["-m", "npt_plugin", *run], world, host_world.host_folder("CoOp"), WEIGHTS["CoOp"]
    )
    assert steps(output) == 6 and re.search(r"\blc \d.*\bmi \d", output)
    assert "token_prefix" in learned(tmp_path / "run")  # the host saves it, we do not


def test_without_upstream_dassl(world: Path, tmp_path: Path) -> None:
    """Our stand-in takes Dassl's name; the host's trainer and ours run on it."""
    runs = train_and_test(world, "CoOp", tmp_path / "CoOp")
    runs += train_and_test(world, "NPT_CoOp", tmp_path / "NPT")
    runs += [words(world, "NPT_CoOp", tmp_path / "wrapped", TRAINER__NPT__BASE="host")]
    outputs = chain(world, "CoOp", runs, dassl=False)
    assert len(accuracies(outputs)) == 5
    upstream = chain(world, "CoOp", [words(world, "CoOp", tmp_path / "upstream")])
    assert accuracies(upstream) == accuracies(outputs[:1])
    ours, theirs = learned(tmp_path / "CoOp")["ctx"], learned(tmp_path / "upstream")["ctx"]
    assert torch.equal(ours, theirs)


def test_without_warm_up_nothing_needs_repair(world: Path, tmp_path: Path) -> None:
    runs = train_and_test(world, "NPT_CoOp", tmp_path / "run", OPTIM__WARMUP_EPOCH=0)
    assert len(accuracies(chain(world, "CoOp", runs))) == 2


def test_two_line_edit(world: Path, tmp_path: Path) -> None:
    """``import npt_plugin`` and ``npt_plugin.extend_cfg(cfg)``, run as the host is run."""
    project = tmp_path / "CoOp"
    skip = shutil.ignore_patterns("lpclip", "scripts", "__pycache__")
    shutil.copytree(host_world.host_folder("CoOp"), project, ignore=skip)
    script = project / "train.py"
    before = script.read_text()
    edited = before.replace("import torch\n", "import torch\nimport npt_plugin\n", 1).replace(
        "    extend_cfg(cfg)\n", "    extend_cfg(cfg)\n    npt_plugin.extend_cfg(cfg)\n", 1
    )
    assert len(edited.splitlines()) == len(before.splitlines()) + 2
    script.write_text(edited)
    # Run this way, Dassl's own import needs two packages that these datasets do not use.
    absent = [name for name in ("wilds", "pandas") if importlib.util.find_spec(name) is None]
    for name in absent:
        stub = "class get_dataset: ...\nDataFrame = Series = get_dataset\n"
        (project / f"{name}.py").write_text(stub)
    for run in train_and_test(world, "NPT_CoOp", tmp_path / "run"):
        output = host_world.run(run, world, project)
    assert len(accuracies([output])) == 1
    assert steps((tmp_path / "run" / "log.txt").read_text()) == 6


def test_dassl_itself_is_a_host(world: Path, tmp_path: Path) -> None:
    """Its own script, which knows neither CLIP nor our data, on one of its trainers and ours."""
    keys = {
        "DATASET__NAME": "ImbalancedOxfordPets",
        "DATASET__SUBSAMPLE_CLASSES": "base",
        "DATASET__IMBALANCE__RATIO": 0.5,
        "INPUT__SIZE": "(48, 48)",
    }
    for trainer, backbone in (("Vanilla", "resnet18"), ("NPT_CoOp", "Tiny")):
        model = {"MODEL__BACKBONE__NAME": backbone, "MODEL__BACKBONE__PRETRAINED": False}
        run = ["--root", str(world / "data"), "--seed", "1", "--trainer", trainer]
        run += ["--output-dir", str(tmp_path / trainer), *host_world.options(**keys, **model)]
        folder = Path(host_world.HOSTS, "Dassl.pytorch")
        output = host_world.run(["-m", "npt_plugin", "tools/train.py", *run], world, folder)
        assert f"Loading trainer: {trainer}" in output and re.search(r"\* total: 12\b", output)
        assert bool(re.search(r"\blc \d.*\bmi \d", output)) == (trainer == "NPT_CoOp")


def test_without_data_one_sentence_says_so(world: Path, tmp_path: Path) -> None:
    run = words(world, "NPT_CoOp", tmp_path / "run")
    run[run.index("--root") + 1] = str(tmp_path)
    folder = host_world.host_folder("CoOp")
    done = host_world.start(["-m", "npt_plugin", *run], world, folder)
    assert done.returncode == 2 and "Traceback" not in done.stdout, done.stdout[-2000:]
    assert f"error: The project looks for {tmp_path}/oxford_pets" in done.stdout


@pytest.mark.parametrize(
    "run, sentence",
    [
        (["absent.py"], "There is no script absent.py"),
        (["NPT_MaPLe"], "this project has no MaPLe of its own"),
    ],
)
def test_mistakes_end_in_one_sentence(world: Path, tmp_path: Path, run, sentence) -> None:
    if run != ["absent.py"]:
        run = words(world, "NPT_CoOp", tmp_path, TRAINER__NPT__BASE="host", TRAINER__NAME=run[0])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "npt_plugin", *run],
        cwd=host_world.host_folder("CoOp"),
        env=host_world.environment(world, "small", True),
        text=True,
        capture_output=True,
    )
    assert done.returncode == 2
    assert sentence in done.stderr and "Traceback" not in done.stderr
