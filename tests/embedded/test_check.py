import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from npt_plugin.embedded.batches import Batch
from npt_plugin.embedded.check import STEPS, Trace, check_committed, differences
from npt_plugin.embedded.weights import CARD_FILE, WEIGHTS_FILE, read_card


def batch(**changes):
    made = Batch(
        images=torch.full((2, 3, 4, 4), 0.25),
        facts=torch.arange(14).view(2, 7),
        texts=["a cup.", "a hat."],
        tokens=torch.tensor([[0, 3, 1], [0, 4, 1]]),
        ends=torch.tensor([2, 2]),
        caption_of=torch.tensor([1, 0]),
    )
    return replace(made, **changes)


def record(*batches, losses=(1.0, 2.0, 3.0, 4.0)):
    trace = Trace(nn.Linear(2, 1))
    for one, loss in zip(batches or [batch()] * STEPS, losses, strict=False):
        trace.add(one, loss)
    return trace.record()


def test_a_trace_keeps_the_first_steps_only():
    model = nn.Linear(2, 1)
    trace = Trace(model)
    for step in range(STEPS):
        with torch.no_grad():
            model.weight += torch.tensor([[3.0, 4.0]])
        trace.add(batch(), float(step))
    found = trace.record()
    assert found["steps"] == STEPS and found["losses"] == [0, 1, 2, 3]
    assert found["pixel_mean"] == pytest.approx(0.25)
    assert found["moved"] == pytest.approx(5 * STEPS, rel=1e-5)
    with torch.no_grad():
        model.weight += 9
    trace.add(batch(texts=["else"]), 9.0)
    assert trace.record() == found


@pytest.mark.parametrize(
    "change",
    [
        {"facts": torch.zeros(2, 7, dtype=torch.int64)},
        {"texts": ["a cup.", "a hut."]},
        {"tokens": torch.tensor([[0, 3, 1], [0, 5, 1]])},
        {"caption_of": torch.tensor([0, 1])},
    ],
)
def test_every_part_of_the_data_enters_the_digest(change):
    plain = [batch()] * (STEPS - 1)
    digest = record(*plain, batch())["data_sha256"]
    assert digest == record(*plain, batch())["data_sha256"]
    assert digest != record(*plain, batch(**change))["data_sha256"]


def test_check_tells_each_kind_of_difference():
    good = read_card()["check"]
    assert differences(good, good) == []
    for key, value in {
        "data_sha256": "0" * 64,
        "pixel_mean": good["pixel_mean"] + 0.01,
        "losses": [loss + 0.01 for loss in good["losses"]],
        "moved": good["moved"] * 1.05,
    }.items():
        bad = copy.deepcopy(good) | {key: value}
        assert len(differences(bad, good)) == 1, key


def test_a_record_of_too_few_steps_is_a_difference():
    good = read_card()["check"]
    assert len(differences(good | {"losses": good["losses"][:-1]}, good)) == 1


def test_check_fails_when_the_weights_are_others(tmp_path):
    fake = tmp_path / "w.safetensors"
    fake.write_bytes(WEIGHTS_FILE.read_bytes() + b" ")
    fine, line = check_committed(lambda recipe, steps: read_card()["check"], fake, CARD_FILE)
    assert not fine and "checksum" in line


def test_check_reruns_the_recipe_of_the_card_and_reports_it():
    asked = []

    def rerun(recipe, steps):
        asked.append((recipe.seed, recipe.steps, steps))
        return read_card()["check"] | {"moved": 0.0} if len(asked) > 1 else read_card()["check"]

    recipe = read_card()["recipe"]
    fine, line = check_committed(rerun)
    assert fine and line.startswith("CHECK PASSED") and read_card()["sha256"][:12] in line
    assert asked == [(recipe["seed"], recipe["steps"], STEPS)]
    fine, line = check_committed(rerun)
    assert not fine and "parameters moved 0.0 instead of" in line
