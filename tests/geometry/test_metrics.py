import math

import pytest
import torch
import torch.nn.functional as F

from npt_plugin.geometry import nc_metrics, simplex_etf

pytestmark = pytest.mark.numerics

D = 10


def collapsed(k, per_class=3, seed=0):
    """Images exactly on the ETF vector of their class, text the same ETF."""
    etf = simplex_etf(k, D, seed)
    labels = torch.arange(k).repeat_interleave(per_class)
    return etf[labels], labels, etf


def reference(images, labels, text, logits):
    """Loops and textbook matrices; no code shared."""
    images, text = images.double(), text.double()
    classes = sorted(set(labels.tolist()))
    p = len(classes)
    groups = [[h for h, y in zip(images, labels, strict=True) if y == c] for c in classes]
    means = torch.stack([torch.stack(group).mean(0) for group in groups])
    middle = sum(means) / p
    s_w = sum(
        torch.outer(h - means[classes.index(int(y))], h - means[classes.index(int(y))])
        for h, y in zip(images, labels, strict=True)
    ) / len(images)
    s_b = sum(torch.outer(m - middle, m - middle) for m in means) / p
    out = {"nc1_image": float(torch.trace(s_w @ torch.linalg.pinv(s_b, rtol=1e-10)) / p)}

    def cosine_matrix(a, b):
        a, b = a - a.mean(0), b - b.mean(0)
        return torch.tensor([[float(x @ y / (x.norm() * y.norm())) for y in b] for x in a])

    def distance(m):
        n = len(m)
        norm = math.sqrt(sum(float(x) ** 2 for x in m.flatten()))
        total = 0.0
        for i in range(n):
            for j in range(n):
                goal = ((1 if i == j else 0) - 1 / n) / math.sqrt(n - 1)
                total += (float(m[i, j]) / norm - goal) ** 2
        return math.sqrt(total)

    def pairs(m):
        return [float(m[i, j]) for i in range(len(m)) for j in range(len(m)) if i != j]

    def sd(values):
        mean = sum(values) / len(values)
        return math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))

    shown = text[classes]
    for name, vectors in (("image", means), ("text", text)):
        norms = [float((v - vectors.mean(0)).norm()) for v in vectors]
        out[f"nc2_equinorm_{name}"] = sd(norms) / (sum(norms) / len(norms))
        gram = cosine_matrix(vectors, vectors)
        out[f"nc2_equiangular_{name}"] = sd(pairs(gram))
        out[f"max_cosine_{name}"] = max(pairs(gram))
        out[f"etf_distance_{name}"] = distance(gram)
        shares = torch.linalg.eigvalsh(gram.double()).clamp_min(1e-30) / len(vectors)
        out[f"effective_rank_{name}"] = math.exp(-sum(float(s) * math.log(s) for s in shares))
    cross = cosine_matrix(shown, means)
    out["nc2_equiangular_text_to_image"] = sd(pairs(cross))
    out["max_cosine_text_to_image"] = max(pairs(cross))
    out["etf_distance_text_to_image"] = distance(cross)
    out["nc3_distance"] = distance((shown - shown.mean(0)) @ (means - middle).T)
    out["nc3_cosine"] = sum(float(cross[i, i]) for i in range(p)) / p
    agree = 0
    for h, z in zip(images, logits, strict=True):
        nearest = min(range(p), key=lambda c: float((h - means[c]).norm()))
        agree += classes[nearest] == int(z.argmax())
    out["nc4_agreement"] = agree / len(images)
    out["modality_gap"] = float((middle - shown.mean(0)).norm())
    return out


@pytest.mark.parametrize("absent", [(), (1, 4)])
def test_metrics_equal_the_slow_reference(absent):
    torch.manual_seed(3)
    labels = torch.tensor([y for y in torch.randint(0, 6, (60,)).tolist() if y not in absent])
    images = F.normalize(torch.randn(len(labels), D) + labels[:, None] * 0.3, dim=1)
    text = F.normalize(torch.randn(6, D), dim=1)
    logits = torch.randn(len(labels), 6) + 3 * F.one_hot(labels, 6)
    got = nc_metrics(images, labels, text, logits)
    assert got.pop("classes_absent") == len(absent)
    assert got.pop("classes_present") == 6 - len(absent)
    expected = reference(images, labels, text, logits)
    assert set(got) == set(expected)
    for key, value in expected.items():
        assert got[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key
        assert type(got[key]) is float


@pytest.mark.parametrize("k", [2, D, D + 1])
def test_full_collapse_scores_zero(k):
    got = nc_metrics(*collapsed(k))
    for key in (
        "nc1_image",
        "nc3_distance",
        "modality_gap",
        "etf_distance_image",
        "etf_distance_text",
        "etf_distance_text_to_image",
        "nc2_equinorm_image",
        "nc2_equiangular_text",
        "nc2_equiangular_text_to_image",
    ):
        assert got[key] == pytest.approx(0, abs=1e-12), key
    assert got["nc3_cosine"] == pytest.approx(1)
    assert got["nc4_agreement"] == 1
    assert got["max_cosine_image"] == pytest.approx(-1 / (k - 1))
    assert got["effective_rank_text"] == pytest.approx(k - 1)


def test_moving_one_modality_moves_the_gap_only():
    images, labels, text = collapsed(5)
    shifted = nc_metrics(images + 2.0, labels, text)
    assert shifted["modality_gap"] == pytest.approx(2 * math.sqrt(D))
    assert shifted["nc3_distance"] == pytest.approx(0, abs=1e-9)
    assert shifted["nc1_image"] == pytest.approx(0, abs=1e-12)


def test_default_classifier_is_the_text_cosine():
    images, labels, text = collapsed(4)
    assert nc_metrics(images, labels, text)["nc4_agreement"] == 1
    assert nc_metrics(images, labels, text, -images @ text.T)["nc4_agreement"] == 0


def test_few_classes_leave_keys_out_and_never_write_nan():
    text = F.normalize(torch.randn(3, D), dim=1)
    one = nc_metrics(text[:1].repeat(4, 1), torch.zeros(4, dtype=torch.long), text)
    assert "nc1_image" not in one and one["classes_absent"] == 2
    none = nc_metrics(torch.zeros(0, D), torch.zeros(0, dtype=torch.long), text)
    assert none["classes_absent"] == 3 and "modality_gap" not in none
    single = nc_metrics(text[:1], torch.zeros(1, dtype=torch.long), text[:1])
    same = nc_metrics(text[:1].repeat(6, 1), torch.arange(3).repeat(2), text[:1].repeat(3, 1))
    for result in (one, none, single, same):
        assert all(math.isfinite(v) for v in result.values())


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_accepted(dtype):
    images, labels, text = collapsed(5)
    got = nc_metrics(images.to(dtype), labels, text.to(dtype))
    assert got["etf_distance_text_to_image"] < 0.02


@pytest.mark.parametrize(
    "change, message",
    [
        ({"text_features": torch.randn(4, D + 1)}, "image_features"),
        ({"labels": torch.zeros(3, dtype=torch.long)}, "labels must be"),
        ({"labels": torch.full((8,), 4)}, "labels must be in"),
        ({"logits": torch.randn(8, 3)}, "logits must be"),
    ],
)
def test_wrong_shapes_are_named(change, message):
    good = {
        "image_features": torch.randn(8, D),
        "labels": torch.zeros(8, dtype=torch.long),
        "text_features": torch.randn(4, D),
    }
    with pytest.raises(ValueError, match=message):
        nc_metrics(**{**good, **change})
