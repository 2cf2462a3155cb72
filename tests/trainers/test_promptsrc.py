"""PromptSRC: three terms that hold, and the average over epochs."""

import pytest
import torch
import torch.nn.functional as F
from trainer_checks import learned

from npt_plugin.datasets.prompt_ensembles import PROMPTSRC
from npt_plugin.errors import UserError
from npt_plugin.trainers.epoch_average import gaussian_weights
from npt_plugin.trainers.promptsrc import ensemble_features


@pytest.mark.numerics
def test_ensemble_is_the_direction_of_the_mean_with_norms(small_clip):
    names, templates = ["red_kite", "boat"], ("a {}.", "the {} in a video game.")
    slow = []
    for name in ("red kite", "boat"):
        each = [
            small_clip.model.encode_text(small_clip.tokenizer([t.format(name)]))[0]
            for t in templates
        ]
        slow.append(F.normalize(torch.stack(each).mean(dim=0), dim=0))
    found = ensemble_features(small_clip, names, templates)
    assert torch.allclose(found, torch.stack(slow), rtol=1e-9)


@pytest.mark.numerics
def test_terms_are_weighted_distances_to_frozen_clip(make_trainer, small_clip):
    trainer = make_trainer("PromptSRC")
    batch = trainer.on_device(next(iter(trainer.train_loader_x)))
    terms, outputs = trainer.losses(batch)
    text = ensemble_features(small_clip, trainer.classnames, PROMPTSRC)
    images = F.normalize(small_clip.model.encode_image(batch["img"]), dim=-1)
    frozen = small_clip.logit_scale.exp() * images @ text.T
    slow = {
        "scl_text": 25 * F.l1_loss(outputs.text_features, text),
        "scl_image": 10 * F.l1_loss(outputs.image_features, images),
        "scl_logits": F.kl_div(
            outputs.logits.log_softmax(1), frozen.log_softmax(1), reduction="mean", log_target=True
        ),
    }
    assert set(terms) == {"ce", *slow}
    for name, value in slow.items():
        assert float(terms[name].detach()) == pytest.approx(float(value.detach()), rel=1e-9), name


@pytest.mark.numerics
def test_what_is_tested_is_the_gaussian_mean_of_the_epochs(make_trainer, tmp_path):
    options = ("TRAINER.PROMPTSRC.GPA_MEAN", "2", "OPTIM.MAX_EPOCH", "3")
    trainer = make_trainer("PromptSRC", *options, output=tmp_path / "run")
    ends, run_epoch = [], trainer.run_epoch

    def and_keep():
        run_epoch()
        ends.append(learned(trainer))

    trainer.run_epoch = and_keep
    trainer.train()
    weights = gaussian_weights(3, 2, 1)
    for name, value in learned(trainer).items():
        slow = sum(weight * end[name] for weight, end in zip(weights, ends, strict=True))
        assert torch.allclose(value, slow, rtol=1e-9), name
        assert not torch.equal(value, ends[-1][name]), name


def test_without_visual_prompts_the_images_are_frozen_and_cached(make_trainer):
    options = ("TRAINER.PROMPTSRC.PROMPT_DEPTH_VISION", "0", "INPUT.CACHED_VIEWS", "1")
    trainer = make_trainer("PromptSRC", *options)
    terms, _ = trainer.losses(trainer.on_device(next(iter(trainer.train_loader_x))))
    assert float(terms["scl_image"].detach()) == 0


@pytest.mark.parametrize(
    "options, message",
    [
        (("TRAIN.AVERAGE", "gaussian"), "averages its epochs itself"),
        (("TEST.FINAL_MODEL", "best_val"), "set that to last_step"),
        (("TRAINER.PROMPTSRC.GPA_STD", "0."), "GPA_STD is 0"),
        (("TRAINER.PROMPTSRC.TEXT_LOSS_WEIGHT", "-1."), "TEXT_LOSS_WEIGHT is -1"),
        (("TRAINER.PROMPTSRC.PROMPT_DEPTH_TEXT", "3"), r"PROMPTSRC\.PROMPT_DEPTH_TEXT is 3"),
    ],
)
def test_what_does_not_go_is_refused(make_trainer, options, message):
    with pytest.raises(UserError, match=message):
        make_trainer("PromptSRC", *options)
