"""NPT in public checkouts, from the command line of each: what holds there, run by run."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import host_world
import pytest
import torch
from checkout_copy import copy_of
from checkouts import CHECKOUTS, Checkout
from filelock import FileLock
from tolerance import DOUBLE

from npt_plugin.system.safe_checkpoints import read_checkpoint

EPOCHS, ENGINES = 3, ("dassl", "minidassl")


def cases(*checkouts: Checkout, on: tuple[str, ...] = ENGINES) -> list:
    """Each of them on its own or upstream Dassl, and on our stand-in where it can."""
    found = []
    for checkout in checkouts:
        why = host_world.missing(checkout.folder)
        mark = pytest.mark.skipif(bool(why), reason=why or "-")
        for engine in on if checkout.minidassl else on[:1]:
            name = f"{checkout.name}-{engine}"
            found.append(pytest.param((checkout, engine), id=name, marks=mark))
    return found


WRAPPED = [checkout for checkout in CHECKOUTS if not checkout.refused]
LACKING = [checkout for checkout in CHECKOUTS if checkout.lacks or checkout.borrows]
OWN = [checkout for checkout in CHECKOUTS if not checkout.minidassl]
SCORED = [checkout for checkout in CHECKOUTS if checkout.scores]
REFUSED = [checkout for checkout in CHECKOUTS if checkout.refused]
OFF = {"TRAINER__NPT__LAMBDA_LC": 0.0, "TRAINER__NPT__LAMBDA_MI": 0.0}
ON = {"TRAINER__NPT__MI__MOMENTUM": 0.5}


@dataclass(frozen=True)
class Runs:
    """All runs of one trainer in one checkout on one engine."""

    checkout: Checkout
    folder: Path
    outputs: dict[str, str]
    codes: dict[str, int]

    def learned(self, run: str, epoch: int = EPOCHS) -> dict[str, torch.Tensor]:
        """State of all models that a run saved."""
        files = sorted((self.folder / run).glob(f"*/model.pth.tar-{epoch}"))
        states = [(file.parent.name, read_checkpoint(file)["state_dict"]) for file in files]
        return {f"{name}.{key}": value for name, state in states for key, value in state.items()}

    def ended(self, run: str, code: int = 0) -> str:
        """The output of a run that ended with this code."""
        assert self.codes[run] == code, self.outputs[run][-3000:]
        return self.outputs[run]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def world(shared: Path) -> Path:
    with FileLock(shared / "world.lock"):
        place = shared / "world"
        return place if place.is_dir() else host_world.build_world(place)


@pytest.fixture(scope="session")
def runs_of(world: Path, shared: Path) -> Callable[[tuple[Checkout, str]], Runs]:
    """Trained untouched, with NPT, with weights 0, tested, interrupted, resumed, compared."""

    def get(case: tuple[Checkout, str]) -> Runs:
        checkout, engine = case
        place = shared / f"{checkout.name}-{engine}"
        with FileLock(f"{place}.lock"):
            record = place / "runs.json"
            if not record.exists():
                place.mkdir(exist_ok=True)
                record.write_text(json.dumps(do_all(checkout, engine, world, place)))
        return Runs(checkout, place, *json.loads(record.read_text()))

    return get


@pytest.fixture(scope="module", params=cases(*CHECKOUTS))
def runs(request: pytest.FixtureRequest, runs_of) -> Runs:
    return runs_of(request.param)


@pytest.fixture(scope="module", params=cases(*WRAPPED))
def wrapped(request: pytest.FixtureRequest, runs_of) -> Runs:
    return runs_of(request.param)


def do_all(checkout: Checkout, engine: str, world: Path, place: Path) -> tuple[dict, dict]:
    """Output and exit code of each run, all in one process."""
    own, npt = checkout.trainer, f"NPT_{checkout.trainer}"
    test = ("--eval-only", "--model-dir", str(place / "on"), "--load-epoch", str(EPOCHS))
    proof = {
        "out": str(place / "proof.json"),
        "last_pass": checkout.last_pass,
        "labels_in": checkout.labels_in,
    }
    first, file = checkout.first
    start = replace(checkout, trainer=first, file=file) if first else None
    plan = {
        **({"first": {"arguments": words(start, world, first, place / "first")}} if start else {}),
        "plain": {"arguments": words(checkout, world, own, place / "plain")},
        "on": {"arguments": words(checkout, world, npt, place / "on", **ON)},
        "off": {"arguments": words(checkout, world, npt, place / "off", **OFF)},
        "new": {
            "arguments": words(
                checkout, world, npt, place / "new", *test, DATASET__SUBSAMPLE_CLASSES="new", **ON
            )
        },
        "cut": {"arguments": words(checkout, world, npt, place / "cut", **ON), "cut": True},
        "resumed": {"arguments": words(checkout, world, npt, place / "cut", **ON)},
        "proof": {"arguments": words(checkout, world, npt, place / "proof", **ON), "prove": proof},
    }
    if checkout.scores:
        at = {**ON, "TRAINER__NPT__AT": "logits"}
        plan["scores"] = {"arguments": words(checkout, world, npt, place / "scores", **at)}
    file = place / "plan.json"
    file.write_text(json.dumps(list(plan.values())))
    script = str(host_world.HERE / "chain_job.py")
    project = copy_of(checkout, world, world / "checkouts")
    output = host_world.run(
        [script, str(file)], world, project, checkout.weights, engine == "dassl", checkout.brings
    )
    parts = output.split("@@ run ")[1:]
    assert len(parts) == len(plan), output[-3000:]
    outputs = dict(zip(plan, parts, strict=True))
    for run, part in outputs.items():
        outputs[run] = part if "Loading dataset" in part else part + own_log(place, run)
    found = {run: re.findall(r"^@@ exit (\d+)", part, re.M) for run, part in outputs.items()}
    return outputs, {run: int(code[0]) if code else -1 for run, code in found.items()}


def own_log(place: Path, run: str) -> str:
    """The log of a run that writes to its file alone."""
    folder = place / {"resumed": "cut"}.get(run, run)
    logs = sorted(folder.glob("log.txt*"), key=lambda file: file.stat().st_mtime)
    return logs[run == "resumed"].read_text() if len(logs) > (run == "resumed") else ""


def words(checkout: Checkout, world: Path, trainer: str, out: Path, *flags: str, **keys: object):
    """The command line of a run."""
    base = {
        "DATASET__SUBSAMPLE_CLASSES": "base",
        "OPTIM__MAX_EPOCH": EPOCHS,
        "OPTIM__LR": 0.002,
        "TRAINER__NPT__BASE": "host",
        **{
            key: value.format(place=out.parent, world=world) if isinstance(value, str) else value
            for key, value in checkout.keys.items()
        },
    }
    return [
        "train.py",
        *("--root", str(world / "data"), "--seed", "1", "--trainer", trainer),
        *("--dataset-config-file", "configs/datasets/oxford_pets.yaml"),
        *("--config-file", f"configs/trainers/{checkout.file}.yaml", "--output-dir", str(out)),
        *flags,
        *host_world.options(checkout.weights, **{**base, **keys}),
    ]


def means(output: str, term: str) -> list[float]:
    """The mean of a term over each epoch, as the log has it."""
    lines = re.findall(
        r"^epoch \[(\d)/\d\].*?\b" + term + r" [\d.e-]+ \(([\d.e-]+)\)", output, re.M
    )
    return [float(value) for value in dict(lines).values()]


def test_the_untouched_trainer_runs(runs: Runs) -> None:
    output = runs.ended("plain")
    assert re.search(r"\* total: 12\b", output)  # three base classes, four images each
    assert runs.learned("plain")


def test_the_terms_fall(wrapped: Runs) -> None:
    output = wrapped.ended("on")
    for term in ("lc", "mi"):
        found = means(output, term)
        assert len(found) == EPOCHS
    total = [sum(pair) for pair in zip(means(output, "lc"), means(output, "mi"), strict=True)]
    assert total[-1] < total[0]
    plain, on = wrapped.learned("plain"), wrapped.learned("on")
    assert any(not torch.equal(value, on[name]) for name, value in plain.items())


def test_weights_of_0_are_the_trainer_bit_for_bit(runs: Runs) -> None:
    runs.ended("off")
    plain, off = runs.learned("plain"), runs.learned("off")
    assert list(plain) == list(off)
    for name, value in plain.items():
        assert torch.equal(value, off[name]), name


def test_new_classes_are_evaluated(wrapped: Runs) -> None:
    output = wrapped.ended("new")
    assert re.search(r"\* total: 12\b", output)
    assert re.search(r"\* accuracy: [\d.]+%", output)


def test_an_interrupted_run_ends_as_the_whole_one(wrapped: Runs) -> None:
    wrapped.ended("cut", 130)
    output = wrapped.ended("resumed")
    assert "epoch [2/" in output and "epoch [1/" not in output
    epoch = EPOCHS - 1 if wrapped.checkout.forgets else EPOCHS
    whole, resumed = (wrapped.learned(run, epoch) for run in ("on", "cut"))
    assert whole
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_the_gradient_is_that_of_loss_and_terms_added_by_hand(wrapped: Runs) -> None:
    wrapped.ended("proof", 130)
    found = json.loads((wrapped.folder / "proof.json").read_text())
    assert found["dtypes"] == ["torch.float64"]
    assert found["gaps"] and max(found["gaps"].values()) <= DOUBLE, found["gaps"]
    assert found["moved"] > 1e-3
    for ours, theirs in found["terms"].values():
        assert ours == pytest.approx(theirs, rel=DOUBLE)


@pytest.mark.parametrize("case", cases(*SCORED))
def test_the_terms_behind_the_scores(runs_of, case) -> None:
    """``TRAINER.NPT.AT logits``: they act behind adapters, or a sentence says why they cannot."""
    found = runs_of(case)
    if found.checkout.scores != "runs":
        output = found.ended("scores", 2)
        assert found.checkout.scores in output and "Traceback" not in output
        return
    output = found.ended("scores")
    total = [sum(pair) for pair in zip(means(output, "lc"), means(output, "mi"), strict=True)]
    assert len(total) == EPOCHS and total[-1] < total[0]
    on, scores = found.learned("on"), found.learned("scores")
    assert any(not torch.equal(value, scores[name]) for name, value in on.items())


@pytest.mark.parametrize("case", cases(*REFUSED))
def test_where_npt_has_no_place_one_sentence_says_so(runs_of, case) -> None:
    found = runs_of(case)
    output = found.ended("on", 2)
    assert found.checkout.refused in output and "Traceback" not in output


@pytest.mark.parametrize("case", cases(*OWN, on=("dassl",)))
def test_where_its_own_dassl_is_needed_one_sentence_says_so(world, tmp_path: Path, case) -> None:
    checkout, _ = case
    project = copy_of(checkout, world, world / "checkouts")
    first, file = checkout.first
    how = {"weights": checkout.weights, "dassl": False}
    if first:
        start = words(replace(checkout, file=file), world, first, tmp_path / "first")
        host_world.run(["-m", "npt_plugin", *start], world, project, **how)
    run = words(checkout, world, f"NPT_{checkout.trainer}", tmp_path / "run")
    done = host_world.start(["-m", "npt_plugin", *run], world, project, **how)
    assert done.returncode == 2 and "Traceback" not in done.stdout, done.stdout
    assert "Put the Dassl that the project's README names into its folder" in done.stdout


@pytest.mark.parametrize("case", cases(*LACKING, on=("dassl",)))
def test_what_a_checkout_lacks_is_named(world: Path, tmp_path: Path, case) -> None:
    """As it lies in its repository, with nothing in place of what is not there."""
    checkout, _ = case
    bare = replace(checkout, lacks={}, borrows={}, mends={})
    project = copy_of(bare, world, tmp_path / "bare")
    lacked = [*checkout.lacks, *(name.removesuffix(".py") for name in checkout.borrows)]
    run = words(checkout, world, f"NPT_{checkout.trainer}", tmp_path / "out")
    how = {"weights": checkout.weights, "brings": checkout.brings, "absent": checkout.lacks}
    done = host_world.start(["-m", "npt_plugin", *run], world, project, **how)
    assert done.returncode == 2 and "Traceback" not in done.stdout, done.stdout
    name = re.search(r"imports ([\w.]+), which is neither in its folder nor installed", done.stdout)
    assert name and name[1].replace(".", "/") in lacked
