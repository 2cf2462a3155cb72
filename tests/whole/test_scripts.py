"""The shell scripts are thin words over ``npt protocol``: the CoOp family's order of arguments."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from npt_plugin.cli.overrides import parse_with_overrides
from npt_plugin.cli.protocol import job_of, parser
from npt_plugin.sweep.job import Step

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def call(tmp_path):
    """``call("npt/xd_train.sh 1", SOURCE="x")``: the runs that the script asks for."""
    stub, calls = tmp_path / "python", tmp_path / "calls"
    stub.write_text(
        '#!/usr/bin/env bash\n[ "$1" != scripts/requirements.py ] || exit 0\n'
        f'printf "%q " "$@" >> {calls}; echo >> {calls}\n'
    )
    stub.chmod(0o755)

    def run(line: str, **environment: str) -> list[Step]:
        words = shlex.split(line)
        done = subprocess.run(
            ["bash", str(SCRIPTS / words[0]), *words[1:]],
            env={"PATH": os.environ["PATH"], "NPT_PYTHON": str(stub), **environment},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, line, done.stdout, done.stderr)
        steps = []
        for asked in calls.read_text().splitlines():
            module, package, command, *rest = shlex.split(asked)
            assert (module, package, command) == ("-m", "npt_plugin", "protocol")
            args = parse_with_overrides(parser(), rest)
            steps += job_of(args).steps(args.part)
        return steps

    return run


def folders(steps: list[Step]) -> list[str]:
    return [step.folder.as_posix() for step in steps]


def test_base_to_new_trains_then_tests(call):
    call("npt/base2new_train.sh oxford_pets 2")
    assert folders(call("coop/base2new_test.sh dtd 1", SUB="base", CFG="rn50")) == [
        "output/base2new/train_base/oxford_pets/shots_16/ratio_0.06/NPT_CoOp/vit_b16_ctxv1/seed2",
        "output/base2new/test_base/dtd/shots_16/ratio_1/CoOp/rn50/seed1",
    ]


def test_the_backbone_chooses_the_config(call):
    (step,) = call("npt/base2new_train.sh oxford_pets 1", BACKBONE="Tiny")  # C3
    assert step.job.config == "tiny_ep50_ctxv1" and step.job.backbone == "Tiny"


def test_words_behind_are_overrides(call):
    (step,) = call("maple/base2new_train.sh dtd 3 OPTIM.LR 0.1 OPTIM.MAX_EPOCH -1", OUTPUT="o")
    assert step.job.options == ("OPTIM.LR", "0.1", "OPTIM.MAX_EPOCH", "-1")
    assert step.folder.as_posix().startswith("o/base2new/train_base/dtd/shots_16/ratio_1/MaPLe/")


def test_few_shot_runs_three_seeds(call):
    steps = call("cocoop/few_shot.sh dtd 4")
    assert [(s.job.seed, s.job.shots, s.place.protocol) for s in steps] == [
        (seed, 4, "few_shot") for seed in (1, 2, 3)
    ]


def test_the_main_script_of_coop_keeps_its_order(call):
    (step,) = call("coop/main.sh caltech101 rn50_ep50 end 16 1 False", SEEDS="7")
    assert step.folder.as_posix() == (
        "output/nctx16_cscFalse_ctpend/few_shot/caltech101/shots_1/ratio_1/CoOp/rn50_ep50/seed7"
    )
    assert step.job.options[:2] == ("TRAINER.COOP.N_CTX", "16")


def test_transfer_knows_its_source(call):
    call("npt/xd_train.sh 1", SOURCE="caltech101")
    trained, tested, *variants = call("npt/xd_test.sh dtd 1", SOURCE="caltech101")
    assert trained.folder.as_posix().startswith("output/xd/train/caltech101/")
    assert tested.folder.as_posix().startswith("output/xd/test_from_caltech101/dtd/")
    assert not variants


def test_domain_generalisation_tests_four_variants(call):
    steps = call("maple/dg_test.sh 1")
    assert [step.dataset for step in steps] == [
        "imagenetv2",
        "imagenet_sketch",
        "imagenet_a",
        "imagenet_r",
    ]
    assert {step.job.config for step in steps} == {
        "vit_b16_c2_ep5_batch4_2ctx_cross_datasets"  # as it was trained
    }


@pytest.mark.parametrize("line", ["npt/base2new_test.sh dtd", "coop/few_shot.sh dtd"])
def test_too_few_arguments_are_said(call, line):
    with pytest.raises(subprocess.CalledProcessError) as error:
        call(line)
    assert error.value.returncode == 2 and error.value.stderr.startswith("usage: bash ")


def test_a_checkout_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPTS / "setup.sh", tmp_path / "scripts")
    for name in ("pyproject.toml", "setup.py"):
        shutil.copy(SCRIPTS.parent / name, tmp_path)
    tmp_path.chmod(0o555)
    env = {k: os.environ[k] for k in ("PATH", "HOME") if k in os.environ}
    words = ["bash", str(tmp_path / "scripts" / "setup.sh")]
    if os.access(tmp_path, os.W_OK):
        pytest.skip("root writes everywhere")
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path} cannot be written")
    assert "NPT_PYTHON" in done.stderr
