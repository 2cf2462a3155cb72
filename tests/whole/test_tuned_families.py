"""Fine-tuning on every family: it starts as frozen CLIP, learns, merges, or says why not."""

import copy

import pytest
import torch
from tolerance import DOUBLE, gap

pytest.importorskip("open_clip")
pytest.importorskip("transformers")
import hugging_face_folders as hugging_face
from clip_families import FAMILIES, VITS, family_clip, hub_folder

from npt_plugin.backbone.loading import load_clip
from npt_plugin.errors import UserError
from npt_plugin.trainers import BASE_TRAINERS
from npt_plugin.tuning.methods import METHODS

NODE = "TRAINER.FINE_TUNE."
NAMES = ["red kite", "blue fish"]
HUGGING_FACE = {
    "CLIPModel": lambda: hugging_face.clip_config("gelu", eos=1),
    "SiglipModel": hugging_face.siglip_config,
}
WITH_BLOCKS = (*VITS, *HUGGING_FACE)
OF_TIMM = ("siglip", "siglip2", "SiglipModel")
"""Their image towers are run by timm, past any module in the blocks."""

OTHERS = [pytest.param(f, marks=pytest.mark.long) if f == "eva02" else f for f in FAMILIES]
OTHERS = [family for family in OTHERS if family not in VITS]
IMAGES = 4


@pytest.fixture
def clip_of(tmp_path):
    """``clip_of("siglip")``: a miniature, frozen; in double where a test is about numbers."""

    def make(family):
        if family in FAMILIES:
            return family_clip(family)
        model = hugging_face.random_model(HUGGING_FACE[family]())
        folder = hugging_face.write_folder(model, tmp_path / "model", hub_folder())
        return load_clip(str(folder)).to(torch.get_default_dtype()).requires_grad_(False)

    return make


@pytest.fixture
def model_of(make_cfg):
    """``model_of("FineTune", clip, "KEY", "value")``: a trainer's model on it, a text head."""

    def make(trainer, clip, *options):
        cfg = make_cfg(trainer, "TRAINER.HEAD.NAME", "text", NODE + "RANK", "3", *options)
        cfg.defrost()
        cfg.INPUT.SIZE = tuple(clip.image_size)  # a config is made for the small CLIP's
        return BASE_TRAINERS[trainer].model_class(cfg, NAMES, clip).eval()

    return make


def methods_of(family):
    """Method, how, and the towers it takes there."""
    for method, how in METHODS.items():
        yield method, how, "both" if how.own_weights or family not in OF_TIMM else "text"


def images_for(clip):
    torch.manual_seed(5)
    return torch.randn(IMAGES, 3, *clip.image_size)


def check_same_bits(one, other, images):
    with torch.no_grad():
        ours, theirs = one.encode(images), other.encode(images)
    for name in ("logits", "image_features", "text_features"):
        assert torch.equal(getattr(ours, name), getattr(theirs, name)), name


@pytest.mark.parametrize("family", WITH_BLOCKS)
def test_every_method_starts_as_frozen_clip_bit_for_bit(clip_of, model_of, family):
    clip = clip_of(family)
    frozen, images = model_of("ZeroshotCLIP", clip), images_for(clip)
    for method, _, towers in methods_of(family):
        ours = model_of("FineTune", clip, NODE + "METHOD", method, NODE + "TOWERS", towers)
        check_same_bits(ours, frozen, images)


@pytest.mark.numerics
@pytest.mark.parametrize("family", WITH_BLOCKS)
def test_everything_learned_has_a_gradient_and_what_merges_is_plain_weights(
    clip_of, model_of, family
):
    clip = clip_of(family)
    images, labels = images_for(clip), torch.arange(IMAGES) % len(NAMES)
    for method, how, towers in methods_of(family):
        model = model_of("FineTune", clip, NODE + "METHOD", method, NODE + "TOWERS", towers)
        torch.manual_seed(11)
        with torch.no_grad():
            for parameter in model.learned().values():  # away from 0, which hides half of LoRA
                parameter.add_(0.05 * torch.randn_like(parameter))
        outputs = model.encode(images)
        torch.nn.functional.cross_entropy(outputs.logits, labels).backward()
        assert [n for n, p in model.learned().items() if p.grad is None] == [], method
        if how.merges:
            merged = copy.deepcopy(clip)
            model.merge_into(merged)
            plain = model_of("ZeroshotCLIP", merged).encode(images)
            assert gap(plain.logits, outputs.logits) <= DOUBLE, method


@pytest.mark.parametrize("family", OF_TIMM)
def test_modules_that_would_never_run_are_refused(clip_of, model_of, family):
    clip = clip_of(family)
    for method in (name for name, how in METHODS.items() if not how.own_weights):
        with pytest.raises(UserError, match=f"METHOD {method} puts modules .* as timm's own code"):
            model_of("FineTune", clip, NODE + "METHOD", method)


@pytest.mark.parametrize("family", OTHERS)
def test_towers_without_our_blocks_learn_wholly_or_say_so(clip_of, model_of, family):
    clip = clip_of(family)
    frozen, images = model_of("ZeroshotCLIP", clip), images_for(clip)
    for method, how in METHODS.items():
        if how.needs_blocks:
            with pytest.raises(UserError, match=f"METHOD {method} tunes the blocks of a ViT"):
                model_of("FineTune", clip, NODE + "METHOD", method)
        else:
            check_same_bits(model_of("FineTune", clip, NODE + "METHOD", method), frozen, images)
