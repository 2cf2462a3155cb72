"""An image tower built again from its recipe, by its library alone, equals the model's own."""

import json

import pytest
import torch
from tolerance import gap

from npt_plugin.backbone.loading import load_clip

pytest.importorskip("open_clip")

import clip_families  # noqa: E402


@pytest.mark.numerics
@pytest.mark.parametrize("family", ["vit_quickgelu", "clipa", "coca", "mobileclip", "siglip"])
def test_the_recipe_is_json_and_builds_the_same_tower(family, tmp_path):
    import open_clip

    clip = load_clip(str(clip_families.family_folder(family, tmp_path)))
    recipe = json.loads(json.dumps(dict(clip.recipe)))
    tower = open_clip.CLIP(**recipe["open_clip"]).visual
    tower.load_state_dict(clip.model.visual.state_dict())
    images = torch.randn(2, 3, *clip.image_size)
    with torch.no_grad():
        found, expected = tower.eval()(images), clip.model.visual(images)
    expected = expected[0] if isinstance(expected, tuple) else expected
    assert gap(found, expected) < 1e-9  # kernels differ with what is asked for beside
