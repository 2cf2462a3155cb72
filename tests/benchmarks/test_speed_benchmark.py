"""The speed benchmark: its plain side is right, and its arithmetic is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tolerance import DOUBLE, gap

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = BENCHMARKS / "results" / "speed.json"


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "speed"))


class Told:
    """A worker that answers what it was told to."""

    def __init__(self, seconds, untimed=1):
        self.seconds, self.untimed = iter(seconds), untimed

    def __call__(self, name, **arguments):
        return next(self.seconds)


@pytest.mark.parametrize("untimed", [1, 3])
def test_turns_leave_out_the_warm_up_and_take_medians(untimed):
    from turns import take_turns

    first = [[9, 99]] * untimed
    workers = {
        "ours": Told([*first, [1, 2], [2, 4], [9, 1]]),
        "host": Told([*first, [8, 12], [4, 8], [6, 99]], untimed),
    }
    found = take_turns(workers, "step", 3)
    assert found["ours"] == 2 and found["host"] == 12 and found["ratio"] == 6
    assert found["wall"] == [2, 6] and found["wall ratio"] == 3


def test_names_are_distinct_and_as_many_as_asked():
    from turns import class_names

    for count in (19, 100, 500, 1000):
        names = class_names(count)
        assert len(set(names)) == len(names) == count


def test_the_job_is_the_sum_of_its_parts():
    from targets import base_to_new

    found = {
        "CoOp K=19 step B=32": {"ours": 4.0, "host": 6.0},
        "CoOp K=19 test per image": {"ours": 0.1, "host": 0.2},
        "CoOp K=19 step B=32 FEATURE_CACHE": {"ours": 0.5},
    }
    jobs = base_to_new(found, "host", 1000)
    assert jobs["host"] == 450 * 6 + 200
    assert jobs["ours, FEATURE_CACHE 8"] == pytest.approx(8 * 304 * 0.1 + 225 + 100)
    assert jobs["ratio ours, FEATURE_CACHE 1, test features on disk"] == pytest.approx(
        2900 / (304 * 0.1 + 225), abs=0.01
    )


def test_operations_of_a_vit_by_counting_its_matrix_products():
    from clip.model import VisionTransformer
    from targets import vit_operations
    from torch.utils.flop_counter import FlopCounterMode

    tower = VisionTransformer(32, 8, 768, 2, 12, 512)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        tower(torch.randn(1, 3, 32, 32))
    counted = vit_operations(32, 8, 2)
    assert counted == pytest.approx(counter.get_total_flops(), rel=0.02)
    from npt_plugin.backbone.frozen_linear import plain_kernels
    from npt_plugin.backbone.image_tower import ViT

    with FlopCounterMode(display=False) as counter, torch.no_grad(), plain_kernels():
        ViT(tower)(torch.randn(1, 3, 32, 32))
    needed = vit_operations(32, 8, 2, needed=True)
    assert needed < 0.7 * counted
    assert needed == pytest.approx(counter.get_total_flops(), rel=0.02)


@pytest.mark.numerics
@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "MaPLe"])
def test_the_plain_side_gives_our_logits(make_trainer, small_clip, name):
    from plain_clip import PlainText, make_plain

    trainer = make_trainer(name)
    trainer.set_model_mode("eval")
    images = torch.randn(3, 3, 32, 32)
    expected = trainer.model(images)
    make_plain(trainer.model, small_clip.model)
    assert isinstance(trainer.model.text_encoder, PlainText)
    assert gap(trainer.model(images), expected) <= DOUBLE


def test_every_target_is_judged_by_its_own_direction():
    from targets import TARGETS, table, target_rows

    found = {
        "CoOp K=100 step B=32": {"ours": 2.0, "host": 10.0, "ratio": 5.0},
        "CoOp K=19 test per image": {"ours": 0.1, "host": 0.4, "ratio": 4.0},
        "bf16 test per image": {"bf16": 0.05, "fp32": 0.1, "ratio": 2.0},
        "MaPLe checkpoint": {"ours": 14, "host": 540, "ours of other": 0.026},
        "CoOp K=1000 step B=32 peak memory": {"ours": 5 * 2**30, "ratio": 9.0},
        "CoOp K=19 parity": 3e-6,
    }
    rows = {row["what"]: row for row in target_rows(found, "host")}
    assert len(rows) == len(TARGETS)
    assert rows["CoOp step, K=100, batch 32"]["met"] is True
    assert rows["bf16 test an image, over upstream's fp32"]["value"] == 8.0
    assert rows["bf16 test an image, over our fp32"]["met"] is False
    assert rows["MaPLe checkpoint of theirs"]["met"] is False
    assert rows["memory of a CoOp step, K=1000"]["met"] is True
    assert rows["CoOp K=19: logits differ by"]["met"] is True
    assert rows["MaPLe step, K=100, batch 4"]["met"] is None
    text = table(list(rows.values()))
    assert "| MaPLe checkpoint of theirs | 2.6 % | at most 1 % | no |" in text
    assert "| MaPLe step, K=100, batch 4 | not measured | at least 5 | - |" in text


def test_the_other_side_is_extended_on_a_line_through_two_measured_sizes():
    from beside_public_code import _beside_the_line
    from workbench import Bench

    bench = Bench.__new__(Bench)
    bench.other = "host"
    bench.found = {"CoOp K=100 step": {"host": 10.0}, "CoOp K=400 step": {"host": 40.0}}
    _beside_the_line(bench, 500, "step", 400, {"ours": 5.0})
    found = bench.found["CoOp K=500 step"]
    assert found["host"] == 50.0 and found["ratio"] == 10.0 and "both measured" in found["note"]


@pytest.mark.long  # a minute and more, for a script that nothing else uses
def test_a_smoke_run_of_the_cost_part_notes_every_number(tmp_path):
    """NPT's terms, GNM and SAM at two layers: the numbers mean nothing, their keys do."""
    out = tmp_path / "cost.json"
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / "speed" / "measure.py"), "--quick"]
    command += ["--threads", "1", "--only", "npt", "optimizers", "--out", str(out)]
    root = BENCHMARKS.parent
    paths = os.pathsep.join([str(root), str(root / "third_party")])
    environment = {**os.environ, "PYTHONPATH": paths, "NPT_HOSTS": ""}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    content = json.loads(out.read_text())
    judged = {row["what"]: row["value"] for row in content["targets"]}
    for what, value in judged.items():
        if what.startswith(("NPT", "GNM", "SAM")):
            assert value is not None and value > 0, what
    assert judged["CoOp step, K=100, batch 32"] is None


def test_committed_results_have_every_target_or_name_it_as_not_measured():
    content = json.loads(RESULTS.read_text())
    assert content["about"]["other"] == "host" and "ViT-B/16" in content["about"]["model"]
    for row in content["targets"]:
        absent = row["what"] in content["about"]["not measured"]
        assert absent or row["value"] > 0, row["what"]
    parities = [value for name, value in content["found"].items() if name.endswith("parity")]
    assert len(parities) >= 3 and max(parities) < 1e-5


def test_a_cold_job_in_bf16_sees_its_images_in_bf16():
    from targets import STEPS, add_derived, base_to_new

    found = {
        "CoOp K=19 step B=32": {"ours": 4.0, "host": 6.0},
        "CoOp K=19 test per image": {"ours": 0.1, "host": 0.2},
        "CoOp K=19 step B=32 FEATURE_CACHE": {"ours": 0.5},
        "bf16 test per image": {"bf16": 0.04},
    }
    found["whole job"] = base_to_new(found, "host", 1000)
    add_derived(found, "host")
    expected = (STEPS * 6 + 200) / (304 * 0.04 + STEPS * 0.5 + 1000 * 0.04)
    ratio = found["whole job"]["ratio ours, bf16, FEATURE_CACHE 1"]
    assert ratio == pytest.approx(expected, abs=0.01)
    assert found["bf16 test per image"]["of other"] == 5


def test_two_instruction_sets_are_committed_and_neither_is_slower_than_public_code():
    content = json.loads(RESULTS.with_name("instruction_sets.json").read_text())
    assert content["about"]["processor"] and content["about"]["instruction set"] == "AVX512"
    own, older = content["found"]["own"], content["found"]["avx2"]
    assert list(own) == list(older)
    assert older["environment"]["ATEN_CPU_CAPABILITY"] == "avx2"
    for found in (own, older):
        ratios = {name: value["ratio"] for name, value in found.items() if "step" in name}
        assert len(ratios) == 3 and min(ratios.values()) > 1.5


def test_a_gpu_that_is_not_there_is_said():
    command = [sys.executable, "-W", "ignore", str(BENCHMARKS / "speed" / "measure.py")]
    paths = os.pathsep.join([str(BENCHMARKS.parent), str(BENCHMARKS.parent / "third_party")])
    environment = {**os.environ, "PYTHONPATH": paths, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [*command, "--device", "cuda"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2 and "no CUDA device here" in done.stderr


def test_the_table_of_a_device_names_it_and_has_both_sides():
    from device_table import device_table

    about = {"device": "Card X", "torch": "2.9", "date": "d", "model": "m", "other": "host"}
    found = {
        "CoOp step": {"ours": 0.002, "host": 0.01},
        "CoOp peak memory": {"ours": 2**20, "host": 3 * 2**20},
        "CoOp parity": 1e-6,
    }
    table = device_table({"about": about, "found": found})
    assert table.startswith("Card X, torch 2.9, d: m\n")
    assert "| CoOp step | 2.00 ms | 10.00 ms | 5.0 |" in table
    assert "| CoOp peak memory | 1.00 MiB | 3.00 MiB | 3.0 |" in table and "parity" not in table


def test_the_plain_side_computes_in_halves_what_ours_does(small_clip_file):
    """As on a GPU: both round to bf16, so they agree to a few of its units, not to fp32's."""
    from side_process import Side

    spec = {"trainer": "MaPLe", "names": ["cat", "dog"], "weights": str(small_clip_file)}
    spec |= {"threads": 1, "size": 32, "layers": 2, "most": 4}
    spec["options"] = ("TRAINER.MAPLE.PREC", "bf16")
    ours, plain = (torch.tensor(Side({**spec, "side": s}).logits(4)) for s in ("ours", "plain"))
    exact = torch.tensor(Side({**spec, "side": "ours", "options": ()}).logits(4))
    assert gap(plain, exact) <= 10 * max(gap(ours, exact), torch.finfo(torch.bfloat16).eps)
