"""The speed benchmark: its plain side is right, and its arithmetic is."""

import json
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = BENCHMARKS / "results" / "speed.json"


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


class Told:
    """A worker that answers what it was told to."""

    def __init__(self, seconds):
        self.seconds = iter(seconds)

    def __call__(self, name, **arguments):
        return next(self.seconds)


def test_turns_leave_out_the_warm_up_and_take_medians():
    from sides import take_turns

    workers = {
        "ours": Told([[9, 99], [1, 2], [2, 4], [9, 1]]),
        "host": Told([[9, 99], [8, 12], [4, 8], [6, 99]]),
    }
    found = take_turns(workers, "step", 3)
    assert found["ours"] == 2 and found["host"] == 12 and found["ratio"] == 6
    assert found["wall"] == [2, 6] and found["wall ratio"] == 3


def test_names_are_distinct_and_as_many_as_asked():
    from sides import class_names

    for count in (19, 100, 500, 1000):
        names = class_names(count)
        assert len(set(names)) == len(names) == count


def test_the_job_is_the_sum_of_its_parts():
    from summary import base_to_new

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
    from summary import vit_operations
    from torch.utils.flop_counter import FlopCounterMode

    tower = VisionTransformer(32, 8, 768, 2, 12, 512)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        tower(torch.randn(1, 3, 32, 32))
    counted = vit_operations(32, 8, 2)
    assert counted == pytest.approx(counter.get_total_flops(), rel=0.02)


@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "MaPLe"])
def test_the_plain_side_gives_our_logits(make_trainer, small_clip, name):
    from plain import PlainText, make_plain

    trainer = make_trainer(name)
    trainer.set_model_mode("eval")
    images = torch.randn(3, 3, 32, 32)
    expected = trainer.model(images)
    make_plain(trainer.model, small_clip)
    assert isinstance(trainer.model.text_encoder, PlainText)
    torch.testing.assert_close(trainer.model(images), expected, rtol=1e-5, atol=1e-5)


def test_committed_results_have_every_target_or_name_it_as_not_measured():
    from summary import TARGETS

    content = json.loads(RESULTS.read_text())
    assert content["about"]["other"] == "host" and "ViT-B/16" in content["about"]["model"]
    for name, key, _ in TARGETS:
        absent = name in content["about"]["not measured"]
        assert absent or content["found"][name][key] > 0, name
    parities = [value for name, value in content["found"].items() if name.endswith("parity")]
    assert len(parities) >= 3 and max(parities) < 1e-5
