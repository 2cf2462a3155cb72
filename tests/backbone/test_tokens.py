"""Tokens of the last layer against CLIP's own modules, image by image."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.image_tower import ViT
from npt_plugin.backbone.loading import load_clip
from npt_plugin.backbone.outputs import normalize
from npt_plugin.backbone.tokens import all_tokens, class_token, prompted_tokens
from npt_plugin.errors import UserError
from npt_plugin.trainers.checks import require_vit

pytestmark = pytest.mark.numerics


def before_layers(visual, image):
    """(L, W) of one image before the first layer."""
    x = visual.conv1(image[None]).flatten(2)[0].T  # (patches, W)
    return visual.ln_pre(torch.cat([visual.class_embedding[None], x]) + visual.positional_embedding)


def layer(visual, index, x):
    return visual.transformer.resblocks[index](x[:, None])[:, 0]


def test_all_tokens_are_those_of_clip_s_own_layers(small_clip):
    visual, images = small_clip.model.visual, torch.randn(3, 3, 32, 32)
    rows = []
    for image in images:
        x = before_layers(visual, image)
        for index in range(2):
            x = layer(visual, index, x)
        rows.append(x)
    expected, tower = torch.stack(rows), ViT(visual)
    found = all_tokens(tower, images)
    assert found.shape == (3, 17, 64) and not found.requires_grad
    assert gap(found, expected) <= DOUBLE
    assert gap(class_token(tower, images), expected[:, 0]) <= DOUBLE
    feature = visual.ln_post(class_token(tower, images)) @ visual.proj
    assert gap(feature, small_clip.model.encode_image(images)) <= DOUBLE


def test_prompted_tokens_equal_prompts_appended_after_the_patches(small_clip):
    """The published order: append, run the layer, cut back to class token and patches."""
    visual, images = small_clip.model.visual, torch.randn(2, 3, 32, 32)
    prompts = torch.randn(2, 3, 64, requires_grad=True)
    rows = []
    for image in images:
        x = before_layers(visual, image)
        length = len(x)
        for index in range(2):
            x = layer(visual, index, torch.cat([x[:length], prompts[index]]))
        rows.append(torch.cat([x[:1], x[length:]]))
    expected = torch.stack(rows)  # (B, 1 + n, W)
    found = prompted_tokens(ViT(visual), images, prompts)
    assert gap(found, expected) <= DOUBLE
    weights = torch.linspace(-1, 1, found.numel()).view_as(found)
    (ours,) = torch.autograd.grad((found * weights).sum(), prompts)
    (theirs,) = torch.autograd.grad((expected * weights).sum(), prompts)
    assert gap(ours, theirs) <= DOUBLE


def test_a_resnet_has_no_tokens(resnet_clip):
    tower = resnet_clip.image_tower()
    sentence = "Decoder reads the tokens of a ViT, which RN50 .* or LinearProbe"
    with pytest.raises(UserError, match=sentence):
        require_vit(tower.obstacle, "Decoder reads the tokens", "RN50", "LinearProbe")


@pytest.mark.parametrize(
    "name, options",
    [
        ("MaPLe", ()),
        ("VPT", ()),
        ("IVLP", ()),
        ("GNM_PT", ()),
        ("Decoder", ()),
        ("LinearProbe", ("TRAINER.LINEAR_PROBE.FEATURE", "ln_post")),
    ],
)
def test_methods_that_need_a_vit_refuse_a_resnet(make_trainer, resnet_clip_file, name, options):
    with pytest.raises(
        UserError, match=f"{name} .* of a ViT, which .* does not allow, as it is a ResNet"
    ):
        make_trainer(name, "MODEL.CLIP_WEIGHTS", str(resnet_clip_file), *options)


@pytest.mark.parametrize("name", ["ZeroshotCLIP", "CoOp", "CoCoOp", "NPT_CoOp", "LinearProbe"])
def test_the_others_run_on_a_resnet(make_trainer, resnet_clip_file, name):
    trainer = make_trainer(name, "MODEL.CLIP_WEIGHTS", str(resnet_clip_file))
    images, labels = trainer.parse_batch_train(next(iter(trainer.train_loader_x)))
    terms, outputs = trainer.losses({"img": images, "label": labels})
    clip = load_clip("", str(resnet_clip_file)).float().model
    assert gap(outputs.image_features, normalize(clip.encode_image(images))) <= DOUBLE
    assert all(torch.isfinite(term) for term in terms.values())
