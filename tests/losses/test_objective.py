import itertools

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.config import defaults
from npt_plugin.errors import UserError
from npt_plugin.geometry import target_frame
from npt_plugin.losses import build_objective, needs_zero_shot
from npt_plugin.losses.collapse import COLLAPSE_FORMS, CollapseLoss
from npt_plugin.losses.isomorphism import ISOMORPHISM_FORMS, IsomorphismLoss

pytestmark = pytest.mark.numerics

K, D, B = 7, 16, 4
COUNTS = torch.tensor([16, 12, 9, 6, 4, 2, 1])
LABELS = torch.tensor([0, 3, 3, 6])
ZERO_SHOT = F.normalize(torch.randn(K, D, generator=torch.Generator().manual_seed(5)), dim=1)


PLAIN = dict(
    LAMBDA_LC=1.0, LAMBDA_MI=1.0, CENTER=False, LC__FORM="etf", MI__FORM="etf", MI__MOMENTUM=0.0
)


def config(**keys):
    """The plain forms at weight 1, changed by ``keys``: tests do not move with the defaults."""
    cfg = defaults()
    for key, value in (PLAIN | keys).items():
        node, *path = cfg.TRAINER.NPT, *key.split("__")
        for name in path[:-1]:
            node = node[name]
        assert path[-1] in node
        node[path[-1]] = value
    return cfg


def outputs(conditional=False, dtype=torch.float64, seed=0):
    g = torch.Generator().manual_seed(seed)
    shape = (B, K, D) if conditional else (K, D)
    images = F.normalize(torch.randn(B, D, generator=g), dim=-1).to(dtype)
    text = F.normalize(torch.randn(shape, generator=g), dim=-1).to(dtype)
    return PromptOutputs(
        images @ text.mT if not conditional else images[:, :1].expand(B, K),
        images.requires_grad_(),
        text.requires_grad_(),
    )


ALL = [
    dict(VERSION=v, LC__FORM=lc, MI__FORM=mi, CENTER=center, MI__MOMENTUM=mu)
    for v, lc, mi, center, mu in itertools.chain(
        itertools.product(["v3"], COLLAPSE_FORMS, ["etf"], [False, True], [0.0]),
        itertools.product(["v3"], ["etf"], ISOMORPHISM_FORMS, [False, True], [0.0, 0.9]),
        [("v2", "etf", "etf", False, 0.0), ("cpt", "etf", "etf", False, 0.0)],
    )
]


def ids(keys):
    return "-".join(str(v) for v in keys.values())


class Recorder(TorchDispatchMode):
    """Names of all operators dispatched, backward included."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


SYNCING = {
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "is_nonzero",
    "equal",
    "item",
    "_unique2",
    "bincount",
}


@pytest.mark.parametrize("keys", ALL, ids=ids)
@pytest.mark.parametrize("conditional", [False, True])
def test_no_step_waits_for_the_device(keys, conditional):
    objective = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    out = outputs(conditional)
    with Recorder() as seen:
        sum(objective(out, LABELS).values()).backward()
    assert "mul" in seen.names and not seen.names & SYNCING


def test_the_recorder_would_see_a_wait():
    with Recorder() as seen:
        torch.ones(1).item()
        torch.ones(3)[torch.tensor([True, False, True])]
    assert {"_local_scalar_dense", "nonzero"} & seen.names


def test_operator_count_does_not_grow_with_the_classes():
    class Counter(Recorder):
        total = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.total += 1
            return super().__torch_dispatch__(func, types, args, kwargs)

    totals = []
    for k in (3, 9):
        objective = build_objective(config(), torch.ones(k), None)
        out = PromptOutputs(torch.zeros(B, k), torch.randn(B, D), torch.randn(k, D))
        with Counter() as seen:
            objective(out, torch.tensor([0, 1, 2, 2]))
        totals.append(seen.total)
    assert totals[0] == totals[1]


@pytest.mark.parametrize("keys", ALL, ids=ids)
def test_runs_on_fake_tensors(keys):
    objective = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        out = outputs()
        fake = PromptOutputs(
            *(
                mode.from_tensor(x) if type(x) is torch.Tensor else x
                for x in (out.logits, out.image_features, out.text_features)
            )
        )
        terms = objective(fake, mode.from_tensor(LABELS))
        sum(terms.values()).backward()
    assert all(t.shape == () for t in terms.values())


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("keys", ALL, ids=ids)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_terms_are_finite_float32_with_gradients(keys, dtype):
    objective = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    out = outputs(dtype=dtype)
    terms = objective(out, LABELS)
    assert all(t.dtype == torch.float32 and torch.isfinite(t) for t in terms.values())
    sum(terms.values()).backward()
    for x in (out.image_features, out.text_features):
        assert x.grad.dtype == dtype and torch.isfinite(x.grad).all()


@pytest.mark.parametrize("keys", ALL, ids=ids)
def test_autocast_changes_no_bit(keys):
    plain = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    cast = build_objective(config(**keys), COUNTS, ZERO_SHOT)
    expected = plain(outputs(), LABELS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = cast(outputs(), LABELS)
    assert all(torch.equal(got[name], expected[name]) for name in expected)


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
    """Ten times each closed form, written out; the bank makes the second batch a running mean."""
    cfg = defaults()
    objective = build_objective(cfg, COUNTS, ZERO_SHOT)
    assert needs_zero_shot(cfg)
    target, bank = target_frame(ZERO_SHOT), None
    for seed in (0, 1):
        out = outputs(seed=seed)
        terms = objective(out, LABELS)
        text, images = out.text_features.detach(), out.image_features.detach()
        hat = F.normalize(text - text.mean(dim=0), dim=1)
        assert torch.allclose(terms["lc"], 10 * (1 - (hat * target).sum(dim=1).mean()), atol=DOUBLE)
        means = {int(k): images[LABELS == k].mean(dim=0) for k in LABELS.unique()}
        bank = means if bank is None else {k: 0.9 * bank[k] + 0.1 * m for k, m in means.items()}
        pulls = [1 - bank[k] @ text[k] for k in bank]
        assert torch.allclose(terms["mi"], 10 * torch.stack(pulls).mean(), atol=DOUBLE)


def test_an_empty_class_is_named():
    with pytest.raises(ValueError, match="class 1, 3 has no training image"):
        build_objective(config(), torch.tensor([4, 0, 2, 0]), None)
