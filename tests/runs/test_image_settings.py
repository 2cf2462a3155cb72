"""Who decides the size and normalisation of images: defaults, then the model, then the user."""

import pytest

from npt_plugin.backbone.openai import MEAN, STD
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.errors import UserError
from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.settings import Request, build_cfg


@pytest.fixture(autouse=True)
def _registered():
    register_all(base=True)


def cfg_of(*options: str, config: str = "", trainer: str = "CoOp", **flags):
    return build_cfg(
        Request(trainer, "oxford_pets", config_file=str(config), opts=options, **flags)
    )


def images_of(cfg):
    return tuple(cfg.INPUT.SIZE), tuple(cfg.INPUT.PIXEL_MEAN), tuple(cfg.INPUT.PIXEL_STD)


def test_what_nobody_sets_is_the_model_s_and_dassl_s_where_no_model_is_named():
    assert images_of(cfg_of(backbone="Tiny")) == ((48, 48), MEAN, STD)
    assert images_of(cfg_of("MODEL.BACKBONE.NAME", "RN50x4")) == ((288, 288), MEAN, STD)
    default = get_cfg_default()
    default.merge_from_list(["MODEL.BACKBONE.NAME", ""])
    assert images_of(cfg_of()) == images_of(default)


def test_every_published_config_keeps_its_own_values():
    for path in sorted((configs_folder() / "trainers").glob("*/*.yaml")):
        cfg = cfg_of(config=str(path), trainer=path.parent.name)
        size = 48 if cfg.MODEL.BACKBONE.NAME == "Tiny" else 224
        assert images_of(cfg) == ((size, size), MEAN, STD), path


def test_a_published_config_s_values_give_way_to_a_model_named_later(small_clip_file):
    assert images_of(cfg_of(config="vit_b16", backbone="ViT-L/14@336px"))[0] == (336, 336)
    assert images_of(cfg_of(config="vit_b16", backbone="Tiny"))[0] == (48, 48)
    weights = cfg_of("MODEL.CLIP_WEIGHTS", str(small_clip_file), config="vit_b16")
    assert images_of(weights)[0] == (32, 32)


@pytest.mark.parametrize(
    "key, value, sentence",
    [
        ("SIZE", "(64, 64)", r"INPUT.SIZE is \(64, 64\), but Tiny takes \(48, 48\): leave"),
        ("SIZE", "(48,)", r"INPUT.SIZE is \(48,\), but Tiny takes \(48, 48\)"),
        ("PIXEL_MEAN", "[0.5, 0.5, 0.5]", r"PIXEL_MEAN is \(0.5, 0.5, 0.5\), but Tiny takes"),
        ("PIXEL_STD", "[0.5, 0.5, 0.5]", r"PIXEL_STD is \(0.5, 0.5, 0.5\), but Tiny takes"),
    ],
)
def test_what_a_user_sets_otherwise_is_refused_and_both_are_named(key, value, sentence):
    for options in (
        (f"INPUT.{key}", value),  # the model from a config before
        (f"INPUT.{key}", value, "MODEL.BACKBONE.NAME", "Tiny"),  # in one breath with the model
    ):
        with pytest.raises(UserError, match=sentence):
            cfg_of(*options, config="tiny_ep50")


def test_a_user_s_file_is_named_and_its_values_belong_to_the_model_it_names(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("INPUT:\n  PIXEL_MEAN: [0.5, 0.5, 0.5]\n")
    with pytest.raises(UserError, match=rf"\(0.5, 0.5, 0.5\) in {mine}, but ViT-B/16 takes"):
        cfg_of(config=mine, backbone="ViT-B/16")
    mine.write_text("MODEL:\n  BACKBONE:\n    NAME: RN50\nINPUT:\n  SIZE: (224, 224)\n")
    assert images_of(cfg_of(config=mine, backbone="RN50x64"))[0] == (448, 448)
    assert images_of(cfg_of(config=mine, backbone="RN50"))[0] == (224, 224)


def test_three_digits_of_the_model_s_mean_are_the_model_s():
    rounded = "[0.481, 0.458, 0.408]"
    cfg = cfg_of("INPUT.PIXEL_MEAN", rounded, config="tiny_ep50")
    assert cfg.INPUT.PIXEL_MEAN == [0.481, 0.458, 0.408]  # said as typed, and recorded so


def test_a_model_that_cannot_be_looked_into_leaves_all_as_it_is(tmp_path):
    absent = str(tmp_path / "absent.pt")
    assert images_of(cfg_of("MODEL.CLIP_WEIGHTS", absent, config="vit_b16"))[0] == (224, 224)


def test_siglip_works_with_every_published_config_as_it_is(tmp_path):
    pytest.importorskip("open_clip")
    from clip_families import family_folder

    half = (0.5, 0.5, 0.5)
    for name, size in (
        ("open_clip:ViT-B-16-SigLIP-256/webli", 256),
        (str(family_folder("siglip", tmp_path)), 160),
    ):
        cfg = cfg_of(config="vit_b16", backbone=name)
        assert images_of(cfg) == ((size, size), half, half)
        with pytest.raises(UserError, match=r"PIXEL_MEAN is \(0.4.*but .* takes \(0.5, 0.5, 0.5\)"):
            cfg_of("INPUT.PIXEL_MEAN", str(list(MEAN)), config="vit_b16", backbone=name)
