import random

import numpy as np
import pytest
import torch
from minidassl.config import get_cfg_default
from minidassl.data.transforms import INTERPOLATION_MODES, build_transform
from minidassl.data.transforms.build import AVAI_CHOICES
from minidassl.data.transforms.noise import (
    Cutout,
    GaussianNoise,
    InstanceNormalization,
    Random2DTranslation,
)
from minidassl.errors import ConfigError
from minidassl.utils import set_random_seed
from PIL import Image


def picture(width=60, height=40):
    pixels = np.random.RandomState(0).randint(0, 255, (height, width, 3)).astype("uint8")
    return Image.fromarray(pixels)


def make_cfg(*names, **options):
    cfg = get_cfg_default()
    cfg.INPUT.SIZE = (24, 24)
    cfg.INPUT.TRANSFORMS = names
    for name, value in options.items():
        cfg.INPUT[name] = value
    return cfg


@pytest.mark.numerics
@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "nearest"])
def test_test_transform_step_by_step(mode):
    got = build_transform(make_cfg("normalize", INTERPOLATION=mode), is_train=False)(picture())
    small = picture().resize((36, 24), getattr(Image.Resampling, mode.upper()))  # shorter edge 24
    pixels = torch.from_numpy(np.asarray(small)[:, 6:30].copy()).permute(2, 0, 1) / 255
    mean, std = (
        torch.tensor(make_cfg().INPUT[k])[:, None, None] for k in ("PIXEL_MEAN", "PIXEL_STD")
    )
    torch.testing.assert_close(got, (pixels - mean) / std)


@pytest.mark.parametrize("name", AVAI_CHOICES)
def test_every_choice_makes_a_tensor_of_the_right_size(name):
    set_random_seed(0)
    names = ("random_resized_crop", name) if name == "random_crop" else (name,)
    for size in ((60, 40), (24, 24)):
        if name == "random_crop" and size == (60, 40):
            continue
        image = build_transform(make_cfg(*names))(picture(*size))
        assert image.shape == (3, 24, 24) and image.dtype == torch.float32
        assert torch.isfinite(image).all()


def test_log_lists_the_steps_in_order(capsys):
    build_transform(make_cfg("normalize", "random_flip", "random_resized_crop"))
    (line,) = capsys.readouterr().out.splitlines()
    begin = "Building transform_train: random resized crop (size=(24, 24), "
    assert line.startswith(begin)
    assert ", random flip, to torch tensor of range [0, 1], normalization (mean=" in line


def test_choices_overrule_the_config_and_none_is_possible(capsys):
    assert len(build_transform(make_cfg("random_flip"), choices=()).transforms) == 2
    assert build_transform(make_cfg(NO_TRANSFORM=True)) is None
    assert "no transform is applied" in capsys.readouterr().out


def test_unknown_names_are_named():
    with pytest.raises(ValueError, match="did you mean 'random_flip'"):
        build_transform(make_cfg("random_flop"))
    with pytest.raises(ValueError, match="lanczos"):
        build_transform(make_cfg(INTERPOLATION="lanczos"))


def test_interpolation_table():
    assert sorted(INTERPOLATION_MODES) == ["bicubic", "bilinear", "nearest"]


def test_cutout_zeroes_one_square():
    np.random.seed(1)
    y, x = np.random.randint(20), np.random.randint(30)
    np.random.seed(1)
    image = Cutout(1, 6)(torch.ones(3, 20, 30))
    expected = torch.ones(20, 30)
    for i in range(20):
        for j in range(30):
            if y - 3 <= i < y + 3 and x - 3 <= j < x + 3:
                expected[i, j] = 0
    assert torch.equal(image, expected.expand(3, 20, 30))


@pytest.mark.numerics
def test_instance_normalization():
    image = InstanceNormalization()(torch.rand(3, 9, 7) * 5 + 1)
    torch.testing.assert_close(image.mean((1, 2)), torch.zeros(3), atol=1e-9, rtol=0)
    torch.testing.assert_close(image.flatten(1).std(1), torch.ones(3))


def test_gaussian_noise_happens_half_of_the_time():
    set_random_seed(0)
    noise, flat = GaussianNoise(0.5, 0.1), torch.zeros(1, 40, 40)
    results = [noise(flat) for _ in range(200)]
    changed = [r for r in results if r.any()]
    assert 70 < len(changed) < 130
    assert changed[0].mean().item() == pytest.approx(0.5, abs=0.02)
    assert changed[0].std().item() == pytest.approx(0.1, abs=0.02)


def test_translation_crops_from_an_image_an_eighth_larger():
    always, never = (Random2DTranslation(24, 24, p=p) for p in (1.0, 0.0))
    random.seed(0)
    assert always(picture()).size == (24, 24)
    plain = picture().resize((24, 24), Image.Resampling.BILINEAR)
    assert never(picture()).tobytes() == plain.tobytes()


@pytest.mark.parametrize("name", ["randaugment", "randaugment_fixmatch", "randaugment2"])
def test_what_only_dassl_has_is_said(name):
    with pytest.raises(ConfigError, match=f"names '{name}', which needs Dassl itself"):
        build_transform(make_cfg(TRANSFORMS=(name, "normalize")))
