"""Checks of config keys that every trainer reads: each refusal is one sentence."""

from types import SimpleNamespace

import pytest

from npt_plugin.errors import UserError
from npt_plugin.trainers.checks import check_image_size, check_pieces, check_tau_norm, require_vit


@pytest.mark.parametrize("name", ["CoOp", "Decoder", "LinearProbe", "ZeroshotCLIP"])
def test_tau_normalisation_is_refused_where_it_would_do_nothing(make_trainer, name):
    with pytest.raises(UserError, match=r"TAU_NORM is 1\.0, but the classifier of .* no norms"):
        make_trainer(name, "TRAINER.IMBALANCE_LOSS.TAU_NORM", "1.0")


@pytest.mark.parametrize("key, value", [("MODEL.TEXT_CHUNK", "-2"), ("TRAIN.IMAGE_CHUNKS", "0")])
def test_impossible_values_are_refused_by_name(make_trainer, key, value):
    with pytest.raises(UserError, match=f"{key} is {value}"):
        make_trainer("CoOp", key, value)


def test_a_batch_has_at_least_one_piece():
    assert [check_pieces(n) for n in (1, 7)] == [1, 7]
    with pytest.raises(UserError, match="IMAGE_CHUNKS is 0; .* 1 or more"):
        check_pieces(0)


def test_images_of_another_size_are_refused_with_the_right_one(make_cfg, small_clip):
    cfg = make_cfg("CoOp").clone()
    check_image_size(cfg, small_clip)
    cfg.defrost()
    for cfg.INPUT.SIZE in ((224, 224), (32, 64)):
        with pytest.raises(UserError, match=r"takes images of \(32, 32\): set INPUT.SIZE"):
            check_image_size(cfg, small_clip)


def test_a_resnet_is_refused_where_tokens_are_needed(small_clip, resnet_clip):
    words = ("X reads the tokens", "RN50", "CoOp")
    require_vit(small_clip.image_tower().obstacle, *words)
    with pytest.raises(UserError) as error:
        require_vit(resnet_clip.image_tower().no_class_token, *words)
    said = (
        "X reads the tokens of a ViT, which RN50 does not allow, as it is a ResNet, which has no "
    )
    assert str(error.value) == said + "tokens: use a ViT of OpenAI's or LAION's, or CoOp."


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize("tau", ["0.0", "0.5", "-1.0"])
def test_tau_is_taken_where_the_classifier_has_norms_and_never_below_0(make_cfg, takes, tau):
    cfg = make_cfg("CoOp", "TRAINER.IMBALANCE_LOSS.TAU_NORM", tau)
    model = SimpleNamespace(takes_tau_norm=takes)
    if tau == "0.0" or (takes and tau == "0.5"):
        check_tau_norm(cfg, model)
        return
    with pytest.raises(UserError, match="at least 0" if tau == "-1.0" else "no norms of its own"):
        check_tau_norm(cfg, model)
