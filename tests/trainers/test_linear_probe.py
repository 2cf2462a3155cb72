"""LinearProbe: starts as zero-shot CLIP, on either feature, and may be cached."""

import pytest
import torch
from tolerance import DOUBLE, gap
from trainer_checks import outputs_of

from npt_plugin.errors import UserError
from npt_plugin.trainers.linear_probe import LinearProbeCLIP

LINEAR = ("TRAINER.HEAD.NAME", "linear", "TRAINER.HEAD.INIT", "random")


@pytest.mark.numerics
def test_text_init_on_the_projected_feature_starts_as_zero_shot_clip(make_trainer):
    zero_shot = outputs_of(make_trainer("ZeroshotCLIP"))
    ours = outputs_of(make_trainer("LinearProbe"))
    assert gap(ours.logits, zero_shot.logits) <= DOUBLE
    assert gap(ours.text_features, zero_shot.text_features) <= DOUBLE
    linear = outputs_of(make_trainer("LinearProbe", "TRAINER.HEAD.NAME", "linear"))
    assert torch.equal(linear.logits.argmax(1), zero_shot.logits.argmax(1))


@pytest.mark.numerics
def test_text_init_on_the_unprojected_feature_is_text_through_the_projection(make_trainer):
    trainer = make_trainer("LinearProbe", "TRAINER.LINEAR_PROBE.FEATURE", "ln_post")
    text = outputs_of(make_trainer("ZeroshotCLIP")).text_features  # (K, D)
    visual = trainer.model.image_encoder.visual
    rows = torch.nn.functional.normalize(text @ visual.proj.t(), dim=-1)
    assert gap(trainer.model.head.weight.data, rows) <= DOUBLE
    assert outputs_of(trainer).image_features.shape[1] == 64


@pytest.mark.numerics
def test_training_on_cached_features_is_training_on_images(make_trainer, tmp_path):
    options = ("INPUT.TRANSFORMS", "(normalize,)", "DATALOADER.TRAIN_X.BATCH_SIZE", "12", *LINEAR)
    plain = make_trainer("LinearProbe", *options, output=tmp_path / "a")
    cache = ("INPUT.CACHED_VIEWS", "1")
    cached = make_trainer("LinearProbe", *options, *cache, output=tmp_path / "b")
    for trainer in (plain, cached):
        trainer.train()
    for name, value in plain.model.learned().items():
        assert gap(cached.model.learned()[name], value) <= DOUBLE


@pytest.mark.numerics
def test_tau_normalisation_changes_a_linear_head_at_test_time_only(make_trainer, tmp_path):
    tau = ("TRAINER.IMBALANCE_LOSS.TAU_NORM", "1.0")
    plain = make_trainer("LinearProbe", *LINEAR, output=tmp_path / "a")
    plain.train()
    normed = make_trainer("LinearProbe", *LINEAR, *tau, output=tmp_path / "b")
    normed.train()
    for name, value in plain.model.learned().items():
        assert torch.equal(normed.model.learned()[name], value), name
    features = plain.model.image_features(torch.randn(2, 3, 32, 32))
    weight = plain.model.head.weight
    expected = features @ (weight / weight.norm(dim=1, keepdim=True)).t()
    normed.set_model_mode("eval")
    assert gap(normed.model.classify(features).logits, expected) <= DOUBLE


def test_posthoc_adjustment_reaches_every_head(make_trainer, tmp_path):
    run = tmp_path / "run"
    make_trainer("LinearProbe", *LINEAR, "DATASET.IMBALANCE.RATIO", "0.5", output=run).train()
    accuracy = []
    for tau in ("0.", "1000."):
        other = make_trainer(
            "LinearProbe",
            *LINEAR,
            "DATASET.IMBALANCE.RATIO",
            "0.5",
            "TRAINER.IMBALANCE_LOSS.POSTHOC_TAU",
            tau,
            output=tmp_path / f"tau{tau}",
        )
        other.load_model(str(run), epoch=2)
        accuracy.append(other.test())
    assert accuracy[1] == pytest.approx(100 / 3)  # everything is called the rarest class


LN_POST = ("TRAINER.LINEAR_PROBE.FEATURE", "ln_post")


@pytest.mark.numerics
def test_its_feature_is_clip_s_with_its_norm(prompted, small_clip):
    images = torch.randn(2, 3, 32, 32)
    assert (
        gap(prompted("LinearProbe").image_features(images), small_clip.model.encode_image(images))
        <= DOUBLE
    )
    before = prompted("LinearProbe", *LN_POST).image_features(images)  # (B, W)
    assert (
        gap(before @ small_clip.model.visual.proj, small_clip.model.encode_image(images)) <= DOUBLE
    )


def test_only_a_cosine_head_on_clip_s_own_feature_can_be_exported(prompted):
    assert prompted("LinearProbe").export_obstacle() == ""
    assert "linear" in prompted("LinearProbe", *LINEAR).export_obstacle()
    assert "not on CLIP's feature" in prompted("LinearProbe", *LN_POST).export_obstacle()


def test_a_resnet_has_the_projected_feature_only(make_cfg, resnet_clip):
    assert LinearProbeCLIP(make_cfg("LinearProbe"), ["a", "b"], resnet_clip).learned()
    with pytest.raises(UserError, match="LinearProbe on ln_post reads the tokens of a ViT"):
        LinearProbeCLIP(make_cfg("LinearProbe", *LN_POST), ["a", "b"], resnet_clip)
