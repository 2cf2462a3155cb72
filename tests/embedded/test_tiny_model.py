import copy
import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE

from npt_plugin.backbone.tiny import fresh_token_table
from npt_plugin.embedded.batches import Batch
from npt_plugin.embedded.recipe import Recipe
from npt_plugin.embedded.tiny_model import TinyClip, _plane_waves, text_to_image
from npt_plugin.embedded.towers import image_tower, text_tower
from npt_plugin.embedded.weights import known_token_ids
from npt_plugin.embedded.world import ATTRIBUTES

SMALL = Recipe(width=64, layers=1, text_layers=1, embed=16, patch=16)


@pytest.fixture(scope="module")
def model():
    return TinyClip(SMALL)


@pytest.fixture(scope="module")
def batch():
    draw = torch.Generator().manual_seed(0)
    tokens = torch.randint(1, 30, (5, 8), generator=draw)
    facts = torch.tensor([[0, 3, 7, -1, -1, 0, 2], [1, -1, -1, 9, -1, -1, 0]]).repeat(3, 1)
    return Batch(
        images=torch.randn(6, 3, 48, 48, generator=draw),
        facts=facts,
        texts=list("abcde"),
        tokens=tokens,
        ends=torch.tensor([2, 3, 3, 5, 7]),
        caption_of=torch.tensor([0, 1, 2, 3, 4, 0]),
    )


def test_text_to_image_against_loops():
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, generator=draw, dtype=torch.float64)
    caption_of = torch.tensor([0, 2, 1, 0, 2])
    total = 0.0
    for caption in range(3):
        own = [i for i in range(5) if caption_of[i] == caption]
        column = logits[:, caption]
        total += sum(float(torch.logsumexp(column, 0) - column[i]) for i in own) / len(own)
    assert float(text_to_image(logits, caption_of)) == pytest.approx(total / 3)


def test_the_seed_fixes_the_model():
    one, two = TinyClip(SMALL).state_dict(), TinyClip(SMALL).state_dict()
    other = TinyClip(Recipe(seed=1, width=64, layers=1, text_layers=1, embed=16, patch=16))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["clip.visual.proj"], other.clip.visual.proj)
    ids = known_token_ids()
    assert torch.equal(one["rows"], torch.from_numpy(fresh_token_table(64)[ids]))


@pytest.mark.numerics
def test_the_loss_against_a_plain_computation(model, batch):
    """One cross-entropy over captions, one over pictures, and one for each head that applies."""
    model, batch = copy.deepcopy(model).double(), replace(batch, images=batch.images.double())
    with torch.no_grad():
        loss, contrast = model.loss(batch, keep=None, head_weight=0.5)
        features, before = image_tower(model.clip.visual, batch.images)
        texts = text_tower(model.clip, model.rows[batch.tokens], batch.ends)  # uncut, at once
        scale = model.clip.logit_scale.exp()
        logits = scale * F.normalize(features, dim=1) @ F.normalize(texts, dim=1).T
        expected = F.cross_entropy(logits, batch.caption_of) / 2
        expected += text_to_image(logits, batch.caption_of) / 2
        heads = 0.0
        for column, name in enumerate(ATTRIBUTES):
            rows = [i for i in range(6) if batch.facts[i, column] >= 0]
            if not rows:
                continue
            own = [
                float(F.cross_entropy(model.heads[name](before[i]), batch.facts[i, column]))
                for i in rows
            ]
            heads += (2.0 if name == "icon" else 1.0) * sum(own) / len(own)
    assert float(contrast) == pytest.approx(float(expected), rel=DOUBLE)
    assert float(loss) == pytest.approx(float(expected) + 0.5 * heads, rel=DOUBLE)


def test_every_parameter_that_training_moves_gets_a_gradient(model, batch):
    model.zero_grad()
    model.loss(batch, keep=4, head_weight=0.5)[0].backward()
    without = {name for name, p in model.named_parameters() if p.grad is None}
    assert without <= {"clip.token_embedding.weight", "heads.layout.weight", "heads.layout.bias"}


@pytest.mark.numerics
def test_position_codes_are_waves_along_rows_and_columns():
    codes = _plane_waves(3, 16)
    assert codes.shape == (9, 16)
    for row in range(3):
        for column in range(3):
            for half, place in ((0, row), (8, column)):
                for k in range(4):
                    phase = 2 * place / 40 ** (k / 4)
                    found = codes[3 * row + column, half + k], codes[3 * row + column, half + 4 + k]
                    assert found[0].item() == pytest.approx(math.sin(phase), abs=DOUBLE)
                    assert found[1].item() == pytest.approx(math.cos(phase), abs=DOUBLE)
