"""A classifier of several texts a class beside what is learned, text by text."""

import json

import pytest
import torch
from ensemble_checks import ensembles_of
from tolerance import DOUBLE, gap

from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.datasets.class_texts import CLIP7
from npt_plugin.trainers.text_ensemble import mean_text_features


def slow_rows(trainer, templates):
    """One text at a time through the frozen CLIP of the trainer's config; and CLIP's scale."""
    clip_model = load_clip_of(trainer.cfg).double()
    rows = []
    for name in trainer.classnames:
        total = 0
        for template in templates:
            tokens = clip_model.tokenizer([template.format(name.replace("_", " "))])
            text = clip_model.model.encode_text(tokens)
            total = total + text / text.norm()
        rows.append(total / total.norm())
    return torch.cat(rows), clip_model.logit_scale.exp()


def slow_texts(trainer, templates, features):
    """Logits of them for CLIP's own features."""
    rows, scale = slow_rows(trainer, templates)
    return scale * features.double() @ rows.t()


@pytest.mark.numerics
def test_texts_replace_the_template_of_zero_shot_clip(make_trainer):
    trainer = make_trainer("ZeroshotCLIP", "TEST.ENSEMBLE", "texts")
    found, (_, features) = ensembles_of(trainer)
    assert gap(found["texts"], slow_texts(trainer, CLIP7, features)) <= DOUBLE


@pytest.mark.numerics
@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "MaPLe"])
def test_texts_stand_beside_learned_prompts_with_equal_weight(make_trainer, name, tmp_path):
    file = tmp_path / "texts.json"
    templates = ["a photo of a {}.", "{}, seen from afar"]
    file.write_text(json.dumps(templates))
    options = ("TEST.ENSEMBLE", "texts, flip+texts", "TEST.TEXTS", str(file))
    trainer = make_trainer(name, *options)
    found, (plain, features) = ensembles_of(trainer)
    of_texts = slow_texts(trainer, templates, features)
    assert gap(found["texts"], (plain + of_texts) / 2) <= DOUBLE
    assert gap(found["flip+texts"], found["texts"]) > DOUBLE


@pytest.mark.numerics
@pytest.mark.parametrize("feature", ["projected", "ln_post"])
def test_a_head_s_texts_have_the_head_s_scale_and_the_feature_s_space(make_trainer, feature):
    options = ("TRAINER.LINEAR_PROBE.FEATURE", feature, "TRAINER.HEAD.SCALE", "25")
    trainer = make_trainer("LinearProbe", "TEST.ENSEMBLE", "texts", *options)
    found, (plain, features) = ensembles_of(trainer)
    rows, _ = slow_rows(trainer, CLIP7)
    if feature == "ln_post":  # <f P, t> = <f, t P^T>
        rows = rows @ trainer.model.image_encoder.visual.proj.double().t()
        rows = rows / rows.norm(dim=-1, keepdim=True)
    of_texts = 25 * features @ rows.t()
    assert gap(found["texts"], (plain + of_texts) / 2) <= DOUBLE


@pytest.mark.numerics
def test_many_texts_are_encoded_in_parts(small_clip, monkeypatch):
    texts = [["a cat", "one cat", "cats"], ["a dog"]]
    whole = mean_text_features(small_clip, texts)
    monkeypatch.setattr("npt_plugin.trainers.text_ensemble._AT_ONCE", 3)
    assert gap(mean_text_features(small_clip, texts), whole) <= DOUBLE
