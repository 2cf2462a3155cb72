"""Our base trainers against the public checkouts', with the same weights, images and start."""

from __future__ import annotations

import json
from pathlib import Path

import host_world
import pytest
from tolerance import DOUBLE

JOBS = (
    ("CoOp", "small", ("CoOp", "CoCoOp")),
    ("MaPLe", "wide", ("MaPLe",)),
    ("MaPLe", "small", ("VPT", "IVLP")),
    ("KgCoOp", "wide", ("KgCoOp",)),
    ("ProGrad", "small", ("ProGrad",)),
    ("PromptSRC", "small", ("PromptSRC",)),
)
BRING_DASSL = ("KgCoOp", "ProGrad")
DRAW_OTHERWISE = ("VPT", "IVLP", "ProGrad", "PromptSRC")
"""Draw visual prompts while CLIP is built, or build a second CLIP, which draws, before theirs."""
CASES = [pytest.param(job, method, id=method) for job in JOBS for method in job[2]]

pytestmark = pytest.mark.skipif(
    bool(host_world.missing(*{job[0] for job in JOBS})),
    reason=host_world.missing(*{job[0] for job in JOBS}) or "-",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return host_world.build_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def results(world: Path) -> dict:
    """Numbers of every job, each run once."""
    done: dict = {}

    def get(job: tuple) -> dict:
        if job not in done:
            host, weights, methods = job
            out = world / f"{host}-{weights}.json"
            script = str(host_world.HERE / "parity_job.py")
            command = [script, str(world), str(out), *methods]
            brings = host in BRING_DASSL
            host_world.run(command, world, host_world.host_folder(host), weights, brings=brings)
            done[job] = json.loads(out.read_text())
        return done[job]

    return get


@pytest.mark.parametrize("job, method", CASES)
def test_same_logits_losses_and_prompts(results, job, method) -> None:
    found = results(job)[method]
    assert found["logits"] < DOUBLE
    assert len(found["losses"]) == 20
    for theirs, ours in found["losses"]:
        assert ours == pytest.approx(theirs, rel=DOUBLE)
    for theirs, ours in found["general"]:
        assert ours == pytest.approx(theirs, rel=DOUBLE)
    assert len(found["general"]) == (20 if method == "ProGrad" else 0)
    assert found["moved"] > 0.01  # it did train
    assert found["final"] < DOUBLE
    assert found["final_logits"] < DOUBLE
    assert found["lr"][0] == found["lr"][1]


@pytest.mark.parametrize("job, method", [c for c in CASES if c.id not in DRAW_OTHERWISE])
def test_same_seed_same_start(results, job, method) -> None:
    assert results(job)[method]["start"] == 0


@pytest.mark.parametrize("job, method", [case for case in CASES if case.id != "VPT"])
def test_other_settings_of_the_method(results, job, method) -> None:
    for keys, start, logits in results(job)[method]["variants"]:
        assert logits < DOUBLE, keys
        assert start == 0 or method in DRAW_OTHERWISE, keys


@pytest.mark.parametrize("job, method", CASES)
def test_checkpoints_interchange(results, job, method) -> None:
    found = results(job)[method]
    assert found["host_to_ours"] < DOUBLE
    assert found["ours_to_host"] < DOUBLE
    assert found["other_classes"] < DOUBLE  # another number of classes than it was trained with
    assert found["bytes"]["ours"] < found["bytes"]["host"]


@pytest.mark.parametrize("job, method", [case for case in CASES if case.id != "VPT"])
def test_wrapped_host_trainer_is_our_npt_trainer(results, job, method) -> None:
    """VPT's host model has no text encoder to wrap; NPT_VPT is ours only."""
    found = results(job)[method]
    assert found["npt_class"] == [f"NPT_{method}", "npt_plugin.hosts.wrap"]
    for step in found["npt_terms"]:
        for theirs, ours in step:
            assert ours == pytest.approx(theirs, rel=DOUBLE)
    assert found["npt_final"] < DOUBLE


@pytest.mark.parametrize("job, method", [case for case in CASES if case.id != "VPT"])
def test_zero_weights_are_the_host_bit_for_bit(results, job, method) -> None:
    found = results(job)[method]
    assert found["off_is_host"]
    assert found["off_hooks"] == 0


@pytest.mark.parametrize("job", JOBS[:2], ids=lambda job: job[0])
def test_same_seed_same_images(results, job) -> None:
    chosen = results(job)["shots"]
    assert len(chosen) == 9
    assert all(ours == theirs for ours, theirs in chosen.values())
    assert chosen["1 all"] != chosen["2 all"]
