"""open_clip's real configs, cut to two layers where they are long: what miniatures cannot show."""

import pytest
import torch
from tolerance import float32_bound

pytest.importorskip("open_clip")
from clip_families import own_features
from open_clip import create_model, get_model_config
from open_clip.tokenizer import SimpleTokenizer

from npt_plugin.backbone.open_clip_model import OpenClip
from npt_plugin.backbone.open_clip_tokenizer import wrap_tokenizer

NAMES = ("ViT-B-16", "ViT-L-14-336", "RN50", "coca_ViT-B-32")
SHALLOW = {"layers": 2}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ViT-B-16", "ViT-L-14-336", "RN50", "EVA02-B-16", "coca_ViT-B-32"]
)
def test_features_of_the_real_widths_are_the_library_s(name):
    config = get_model_config(name)
    more = {"text_cfg": {**config["text_cfg"], **SHALLOW}}
    if name != "RN50":
        more["vision_cfg"] = {**config["vision_cfg"], **SHALLOW}
    torch.manual_seed(0)
    model = create_model(name, **more).eval()
    length = config["text_cfg"]["context_length"]
    tokenizer = wrap_tokenizer(SimpleTokenizer(context_length=length))
    clip = OpenClip(model, tokenizer).requires_grad_(False)
    images, tokens = torch.randn(1, 3, *clip.image_size), tokenizer(["a photo of a cat.", "fish"])
    cut, ends = clip.cut(tokens)
    mine = clip.image_tower()(images), clip.text_tower()(clip.embed(cut), ends)
    own = own_features(clip, images, tokens)
    exact = own_features(clip.double(), images.double(), tokens)
    for found, plain, true in zip(mine, own, exact, strict=True):
        assert (found - true).abs().max() <= float32_bound(plain, true)
