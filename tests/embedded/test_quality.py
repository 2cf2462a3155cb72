import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE, gap

from npt_plugin.backbone.openai import byte_pairs
from npt_plugin.embedded import quality
from npt_plugin.embedded.quality import (
    encode_pictures,
    encode_prompts,
    load_tiny,
    measure,
    probe_accuracy,
)
from npt_plugin.embedded.specs import BENCHMARKS

SPEC = BENCHMARKS["EmbeddedOverhead"]


@pytest.fixture(scope="module")
def model():
    return load_tiny()


def clusters(seed, centres, n=12):
    draw = torch.Generator().manual_seed(seed)
    return [c + 0.05 * torch.randn(n, 4, generator=draw) for c in centres]


def test_zero_shot_is_far_above_chance(model):
    text = encode_prompts(model, [SPEC.template.format(name) for name in SPEC.class_names])
    guesses = [(encode_pictures(model, SPEC, k, range(6)) @ text.T).argmax(1) for k in range(32)]
    labels = torch.arange(32)[:, None]
    assert (torch.stack(guesses) == labels).float().mean() > 0.25  # chance: 0.03


@pytest.mark.numerics
def test_features_have_unit_norm_and_follow_the_numbers(model):
    model = copy.deepcopy(model).double()
    pair = encode_pictures(model, SPEC, 1, range(2, 4))
    assert gap(pair.norm(dim=1), torch.ones(2)) <= DOUBLE
    assert gap(encode_pictures(model, SPEC, 1, range(3, 4)), pair[1:]) <= DOUBLE


@pytest.mark.numerics
def test_prompts_are_encoded_as_clip_does_it(model):
    model = copy.deepcopy(model).double()
    prompts = ["a cup.", "a satellite photo of a parking lot."]
    tokens = torch.zeros(2, 77, dtype=torch.int64)
    for row, prompt in zip(tokens, prompts, strict=True):
        ids = [49406, *byte_pairs().encode(prompt), 49407]
        row[: len(ids)] = torch.tensor(ids)
    with torch.no_grad():
        expected = F.normalize(model.encode_text(tokens), dim=-1)
    assert gap(encode_prompts(model, prompts), expected) <= DOUBLE


def test_the_probe_separates_clusters_and_cannot_know_swapped_labels():
    train, val, test = (clusters(seed, torch.eye(4)[:3]) for seed in range(3))
    assert probe_accuracy(train, val, test) == 100
    assert probe_accuracy(train, val, [test[1], test[2], test[0]]) == 0


def test_the_strength_is_chosen_on_validation(monkeypatch):
    """Validation labels that contradict training favour the weakest classifier in the list."""
    chosen = []

    class Probe:
        def __init__(self, C, max_iter):
            self.strength = C

        def fit(self, x, y):
            return self

        def score(self, x, y):
            chosen.append(self.strength)
            return {0.1: 0.3, 1.0: 0.9, 10.0: 0.9, 100.0: 0.5}[self.strength]

    monkeypatch.setattr(quality, "LogisticRegression", Probe)
    parts = clusters(0, torch.eye(4)[:2])
    assert probe_accuracy(parts, parts, parts) == 90
    assert chosen == [0.1, 1.0, 10.0, 100.0, 1.0]  # the first of the best is tested


def test_a_benchmark_is_measured_in_both_halves(model):
    few = replace(SPEC, class_names=SPEC.class_names[:4])
    row = measure(model, few, per_class=(4, 2, 4))
    assert row.pop("benchmark") == SPEC.name
    assert set(row) == {"zero-shot base", "zero-shot new", "zero-shot all"} | {
        "probe base",
        "probe new",
    }
    assert all(
        value in {100 * k / 8 for k in range(9)} for k, value in row.items() if "all" not in k
    )
    assert row["zero-shot all"] <= (row["zero-shot base"] + row["zero-shot new"]) / 2


def test_the_command_prints_the_table(monkeypatch, capsys):
    monkeypatch.setattr(
        quality, "measure", lambda model, spec: {"benchmark": spec.name, "x": 12.34}
    )
    assert quality.main(["--names", "EmbeddedPairs"]) == 0
    out = capsys.readouterr().out
    assert "EmbeddedPairs" in out and "12.3" in out and "16-shot" in out


def test_an_unknown_benchmark_is_named(capsys):
    assert quality.main(["--names", "EmbeddedPair"]) == 2
    assert "EmbeddedPairs" in capsys.readouterr().err
