"""A script that knows its own trainers alone gets its own name; what is built is what was asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from npt_plugin.hosts.asked import Asked, builds_by_name, own_names

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import argparse
from dassl.config import get_cfg_default
from dassl.engine import TRAINER_REGISTRY, TrainerX, build_trainer

OPTIONS = {"Mine": 1, "CoOp": 2}                            # a variant of ours is none of them

@TRAINER_REGISTRY.register()
class Mine(TrainerX):
    def __init__(self, cfg):
        print("built", type(self).__name__, cfg.TRAINER.NAME)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trainer", choices=list(OPTIONS))
    parser.add_argument("--output-dir")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("opts", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    cfg = get_cfg_default()
    cfg.TRAINER.NAME, cfg.OUTPUT_DIR = args.trainer, args.output_dir
    cfg.merge_from_list(args.opts)
    cfg.freeze()
    print("option", OPTIONS[cfg.TRAINER.NAME], cfg.OUTPUT_DIR)
    if not args.no_build:
        build_trainer(cfg)
        print("still", cfg.TRAINER.NAME)
"""


@pytest.mark.parametrize(
    "given, seen, variant",
    [
        ("--trainer NPT_X --seed 1", "--trainer X --seed 1", "NPT_X"),
        ("--trainer=NPT-X", "--trainer=X", "NPT-X"),
        ("--traine NPT_A_b", "--traine A_b", "NPT_A_b"),
        ("--trainer X TRAINER.NAME NPT_Y", "--trainer X TRAINER.NAME Y", "NPT_Y"),
        ("--trainer NPT_X TRAINER.NAME X", "--trainer X TRAINER.NAME X", ""),
        ("--trainer X --output-dir NPT_X", "--trainer X --output-dir NPT_X", ""),
        ("--transforms NPT_X --trainer X", "--transforms NPT_X --trainer X", ""),
        ("--trainer", "--trainer", ""),
    ],
)
def test_the_last_name_counts_and_paths_stay(given, seen, variant):
    words, asked = own_names(given.split())
    assert " ".join(words) == seen
    assert asked == Asked(variant, variant[4:])


def test_scripts_that_build_by_name_are_told_from_others():
    assert builds_by_name("import e\nt = e.build_trainer(cfg)")
    assert not builds_by_name("from e import build_trainer\nt = Mine(cfg)")
    assert not builds_by_name("not python")


def run(tmp_path: Path, *words: str, script: str = SCRIPT) -> subprocess.CompletedProcess:
    (tmp_path / "train.py").write_text(script)
    env = {**os.environ, "NPT_FRAMEWORK": "minidassl", "OMP_NUM_THREADS": "1"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "third_party")])
    command = [sys.executable, "-W", "ignore", "-m", "npt_plugin", "train.py", *words]
    return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)


def test_the_script_reads_its_own_name_and_the_log_says_what_is_built(tmp_path):
    done = run(tmp_path, "--trainer", "NPT_Mine", "--output-dir", "out/NPT_Mine")
    assert done.returncode == 0, done.stderr
    assert "option 1 out/NPT_Mine\nLoading trainer: NPT_Mine\n" in done.stdout
    assert "built NPT_Mine Mine\nstill Mine\n" in done.stdout


@pytest.mark.parametrize(
    "words, said",
    [
        (["--trainer", "NPT_CoOp", "--no-build"], "without building CoOp: NPT_CoOp took no part"),
        (["--trainer", "Mine", "TRAINER.NAME", "NPT_Mein"], "KeyError: 'Mein'"),
    ],
)
def test_a_variant_that_was_not_built_is_said(tmp_path, words, said):
    done = run(tmp_path, *words)
    assert done.returncode != 0 and said in done.stderr


def test_what_only_a_fork_of_dassl_takes_is_still_named(tmp_path):
    other = SCRIPT.replace("build_trainer(cfg)\n", "build_trainer(cfg, name='Mine')\n")
    done = run(tmp_path, "--trainer", "NPT_Mine", script=other)
    assert done.returncode == 2 and "calls build_trainer with 'name'" in done.stderr


def test_a_script_that_builds_otherwise_sees_the_name_as_given(tmp_path):
    other = SCRIPT.replace("build_trainer(cfg)", "TRAINER_REGISTRY.get(cfg.TRAINER.NAME)(cfg)")
    done = run(tmp_path, "--trainer", "Mine", "TRAINER.NAME", "NPT_Mine", script=other)
    assert "KeyError: 'NPT_Mine'" in done.stderr
