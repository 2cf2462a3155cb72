"""Terms, weights, warm-up and settings of the objective."""

import pytest
import torch
import torch.nn.functional as F
from objective_cases import COUNTS, LABELS, ZERO_SHOT, B, D, K, config, outputs
from safetensors.torch import load_file
from tolerance import DOUBLE

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.backbone.tiny import WEIGHTS_FILE
from npt_plugin.config import defaults
from npt_plugin.errors import UserError
from npt_plugin.geometry import target_frame
from npt_plugin.losses import build_objective, needs_zero_shot
from npt_plugin.losses.collapse import CollapseLoss
from npt_plugin.losses.isomorphism import IsomorphismLoss
from npt_plugin.losses.objective import counts_logits

pytestmark = pytest.mark.numerics


@pytest.mark.parametrize(
    "keys, names",
    [
        (dict(VERSION="v3"), {"lc", "mi"}),
        (dict(VERSION="v2"), {"gd", "mi"}),
        (dict(VERSION="cpt"), {"tetf", "cc", "rs"}),
        (dict(LAMBDA_LC=0.0), {"mi"}),
        (dict(LAMBDA_MI=0.0), {"lc"}),
        (dict(VERSION="cpt", CPT__LAMBDA_CC=0.0), {"tetf", "rs"}),
        (dict(LAMBDA_LC=0.0, LAMBDA_MI=0.0), set()),
        (dict(VERSION="v2", LAMBDA_LC=0.0, LAMBDA_MI=0.0), set()),
    ],
)
def test_term_names_and_left_out_terms(keys, names):
    assert set(build_objective(config(**keys), COUNTS, ZERO_SHOT)(outputs(), LABELS)) == names


def test_weights_multiply_and_the_ramp_rises_to_one():
    objective = build_objective(config(LAMBDA_LC=0.5, LAMBDA_MI=3.0, WARMUP_EPOCH=4), COUNTS, None)
    out = outputs()
    lc = CollapseLoss("etf")(out.image_features, out.text_features, LABELS)
    mi = IsomorphismLoss("etf", K)(out.image_features, out.text_features, LABELS)
    for epoch, ramp in [(0, 0.25), (1, 0.5), (3, 1.0), (4, 1.0), (50, 1.0)]:
        objective.set_epoch(epoch)
        terms = objective(out, LABELS)
        assert torch.allclose(terms["lc"], 0.5 * ramp * lc)
        assert torch.allclose(terms["mi"], 3.0 * ramp * mi)


def test_v2_is_v3_when_gamma_is_zero_or_classes_are_equal():
    v3 = build_objective(config(), COUNTS, None)(outputs(), LABELS)["lc"]
    flat = build_objective(config(VERSION="v2", GD__GAMMA=0.0), COUNTS, None)
    equal = build_objective(config(VERSION="v2", GD__GAMMA=2.0), torch.full((K,), 5), None)
    skewed = build_objective(config(VERSION="v2", GD__GAMMA=2.0), COUNTS, None)
    assert torch.allclose(flat(outputs(), LABELS)["gd"], v3)
    assert torch.allclose(equal(outputs(), LABELS)["gd"], v3)
    assert not torch.allclose(skewed(outputs(), LABELS)["gd"], v3)


@pytest.mark.parametrize(
    "keys, expected",
    [
        (dict(), False),
        (dict(LC__FORM="anchored"), True),
        (dict(MI__FORM="anchored"), True),
        (dict(LC__FORM="anchored", LAMBDA_LC=0.0), False),
        (dict(VERSION="cpt"), True),
        (dict(VERSION="v2", LC__FORM="anchored"), False),
        (dict(VERSION="cpt", CPT__LAMBDA_TETF=0.0, CPT__LAMBDA_RS=0.0), False),
    ],
)
def test_zero_shot_features_are_asked_for_only_when_used(keys, expected):
    cfg = config(**keys)
    assert needs_zero_shot(cfg) is expected
    if expected:
        with pytest.raises(ValueError, match="zero_shot_text"):
            build_objective(cfg, COUNTS, None)
        with pytest.raises(ValueError, match="classes"):
            build_objective(cfg, COUNTS, ZERO_SHOT[:3])
    else:
        build_objective(cfg, COUNTS, None)(outputs(), LABELS)


def test_objective_has_no_parameters_and_state_only_for_the_bank():
    plain = build_objective(config(VERSION="cpt"), COUNTS, ZERO_SHOT)
    assert not list(plain.parameters()) and plain.state_dict() == {}
    banked = build_objective(config(MI__MOMENTUM=0.9), COUNTS, None)
    banked(outputs(), LABELS)
    assert {tuple(v.shape) for v in banked.state_dict().values()} == {(K, D), (K,)}


def test_a_resumed_objective_continues_identically():
    cfg = config(MI__MOMENTUM=0.9, CENTER=True)
    straight, first, second = (build_objective(cfg, COUNTS, None) for _ in range(3))
    for seed in range(4):
        expected = straight(outputs(seed=seed), LABELS)
    for seed in range(2):
        first(outputs(seed=seed), LABELS)
    second.load_state_dict(first.state_dict())
    for seed in (2, 3):
        got = second(outputs(seed=seed), LABELS)
    assert torch.equal(got["mi"], expected["mi"])


@pytest.mark.parametrize("version", ["v3", "v2", "cpt"])
def test_one_class_gives_zero_or_finite_terms(version):
    objective = build_objective(
        config(VERSION=version, LC__FORM="anchored", MI__FORM="anchored"),
        torch.tensor([4]),
        ZERO_SHOT[:1],
    )
    out = PromptOutputs(torch.zeros(2, 1), torch.randn(2, D), torch.randn(1, D))
    assert all(torch.isfinite(t) for t in objective(out, torch.zeros(2, dtype=torch.long)).values())


@pytest.mark.parametrize("k", [D + 1, D + 2, 2 * D])
def test_anchored_runs_beyond_the_simplex(k):
    cfg = config(LC__FORM="anchored", MI__FORM="anchored")
    zero_shot = F.normalize(torch.randn(k, D), dim=1)
    objective = build_objective(cfg, torch.ones(k), zero_shot)
    out = PromptOutputs(torch.zeros(B, k), torch.randn(B, D), zero_shot)
    terms = objective(out, LABELS)
    assert 0 < terms["lc"] < 1


@pytest.mark.parametrize(
    "keys",
    [
        dict(VERSION="v4"),
        dict(UNITS="degrees"),
        dict(LC__FORM="pull"),
        dict(MI__FORM="nc2"),
        dict(LAMBDA_LC=-1.0),
        dict(LAMBDA_MI=float("nan")),
        dict(MI__MOMENTUM=1.0),
        dict(MI__MOMENTUM=-0.1),
        dict(LC__TEMPERATURE=0.0),
        dict(WARMUP_EPOCH=-1),
        dict(VERSION="v2", GD__GAMMA=-1.0),
        dict(VERSION="cpt", CPT__CLUSTERS=K + 1),
        dict(VERSION="cpt", CPT__LAMBDA_CC=-0.1),
    ],
)
def test_bad_settings_are_named_in_one_sentence(keys):
    with pytest.raises(UserError) as error:
        build_objective(config(**keys), COUNTS, ZERO_SHOT)
    key = list(keys)[-1].replace("__", ".")
    assert f"TRAINER.NPT.{key}" in str(error.value)


def test_defaults_anchor_the_text_and_pull_every_class_to_its_mean():
    """Ten times each closed form, written out; the bank makes the second batch a running mean.

    A class of n images counts n0 / (n0 + n), in float32.
    """
    cfg = defaults()
    objective = build_objective(cfg, COUNTS, ZERO_SHOT)
    assert needs_zero_shot(cfg)
    target, bank, prior = target_frame(ZERO_SHOT), None, cfg.TRAINER.NPT.PRIOR_COUNT
    shares = (prior / (prior + COUNTS.double())).float().double()
    for seed in (0, 1):
        out = outputs(seed=seed)
        terms = objective(out, LABELS)
        text, images = out.text_features.detach(), out.image_features.detach()
        hat = F.normalize(text - text.mean(dim=0), dim=1)
        assert torch.allclose(
            terms["lc"], 10 * (shares * (1 - (hat * target).sum(dim=1))).mean(), atol=DOUBLE
        )
        means = {int(k): images[LABELS == k].mean(dim=0) for k in LABELS.unique()}
        bank = means if bank is None else {k: 0.9 * bank[k] + 0.1 * m for k, m in means.items()}
        pulls = [shares[k] * (1 - bank[k] @ text[k]) for k in bank]
        assert torch.allclose(terms["mi"], 10 * torch.stack(pulls).mean(), atol=DOUBLE)


def test_terms_count_in_logits_and_are_one_on_the_embedded_clip():
    tiny = float(load_file(WEIGHTS_FILE)["logit_scale"].exp())
    plain = build_objective(defaults(), COUNTS, ZERO_SHOT)(outputs(), LABELS)
    for scale, factor in ((tiny, 1.0), (100.0, 5.705), (8.765, 0.5)):
        objective = build_objective(defaults(), COUNTS, ZERO_SHOT, scale)
        terms = objective(outputs(), LABELS)
        assert objective.unit == factor and objective.weights == {"lc": 10.0, "mi": 10.0}
        for name, value in plain.items():
            assert torch.allclose(terms[name], factor * value, rtol=1e-6)
            assert factor != 1 or torch.equal(terms[name], value)


@pytest.mark.parametrize("keys", [{"UNITS": "cosine"}, {"VERSION": "cpt"}])
def test_cosines_and_published_weights_follow_no_scale(keys):
    asked = dict(LC__FORM="anchored") | keys
    assert not counts_logits(config(**asked))
    assert build_objective(config(**asked), COUNTS, ZERO_SHOT, 100.0).unit == 1.0


def test_an_empty_class_is_named():
    with pytest.raises(ValueError, match="class 1, 3 has no training image"):
        build_objective(config(), torch.tensor([4, 0, 2, 0]), None)


def test_the_zero_shot_form_is_0_at_the_zero_shot_features_and_needs_them():
    cfg = config(LC__FORM="zero_shot", LAMBDA_MI=0.0, CENTER=True)
    assert needs_zero_shot(cfg)
    objective = build_objective(cfg, COUNTS, ZERO_SHOT)
    images = F.normalize(torch.randn(B, D), dim=-1)
    (value,) = objective(PromptOutputs(images, images, ZERO_SHOT), LABELS).values()
    assert float(value) == pytest.approx(0, abs=1e-6)
    (anchored,) = build_objective(
        config(LC__FORM="anchored", LAMBDA_MI=0.0, CENTER=True), COUNTS, ZERO_SHOT
    )(PromptOutputs(images, images, ZERO_SHOT), LABELS).values()
    assert float(anchored) > 0.01  # its target has another shape
