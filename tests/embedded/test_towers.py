import pytest
import torch
from clip.model import CLIP
from tolerance import DOUBLE

from npt_plugin.embedded.towers import image_tower, text_tower

pytestmark = pytest.mark.numerics


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CLIP(32, 24, 2, 128, 8, 20, 50, 128, 2, 2)


def test_image_tower_and_its_gradient_match_clip(model):
    images = torch.randn(5, 3, 24, 24)
    weight = torch.randn(5, 32)
    parameters = list(model.visual.parameters())
    slow = torch.autograd.grad((model.visual(images) * weight).sum(), parameters)
    features, before = image_tower(model.visual, images)
    fast = torch.autograd.grad((features * weight).sum(), parameters)
    assert torch.allclose(features, model.visual(images), atol=DOUBLE)
    assert torch.allclose(before @ model.visual.proj, features, atol=DOUBLE)
    for a, b in zip(slow, fast, strict=True):
        assert torch.allclose(a, b, atol=DOUBLE)


def test_text_tower_matches_clip_on_a_cut_sequence(model):
    tokens = torch.randint(1, 40, (4, 20))
    ends = torch.tensor([3, 7, 5, 8])
    tokens[torch.arange(4), ends] = 49  # the largest id marks the end, as in CLIP
    cut = tokens[:, :9]
    fast = text_tower(model, model.token_embedding(cut), ends)
    assert torch.allclose(fast, model.encode_text(tokens), atol=DOUBLE)


def test_dropped_patches_change_features_but_all_patches_do_not(model):
    images = torch.randn(2, 3, 24, 24)
    full = image_tower(model.visual, images)[0]
    assert torch.allclose(image_tower(model.visual, images, keep=9)[0], full, atol=DOUBLE)
    assert not torch.allclose(image_tower(model.visual, images, keep=4)[0], full, atol=1e-3)
