"""How long a method takes, measured on drawn images."""

import pytest

from npt_plugin.backbone import openai
from npt_plugin.backbone.random_weights import SHAPES
from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder
from npt_plugin.sweep import pace as module
from npt_plugin.sweep.grid import Grid
from npt_plugin.sweep.pace import measure


@pytest.fixture
def job(monkeypatch):
    """A job by trainer; a step in place of many."""
    register_all(base=True)
    monkeypatch.setattr(module, "STEPS", 2)

    def of(trainer, config="", backbone=""):
        (made,) = Grid(
            ["dtd"], [trainer], [1], [0.06], config=config, backbone=backbone, root="nowhere"
        ).jobs()
        return made

    return of


def test_a_method_is_measured_without_its_data(job, tmp_path):
    found = measure(job("CoOp", "tiny_ep50_ctxv1"), configs_folder(), tmp_path)
    assert found.classes == (16, 32) and min(found.step) > 0 < min(found.image)
    assert found.frozen and found.learned > 0
    assert not measure(job("MaPLe", "tiny_ep5"), configs_folder(), tmp_path).frozen


def test_absent_weights_are_random_ones_of_that_shape(job, tmp_path, monkeypatch):
    small = (32, 32, 2, 64, 16, 77, 49408, 64, 1, 2)
    monkeypatch.setitem(SHAPES, "ViT-B/16", small)
    monkeypatch.setattr(module, "weights_at_hand", lambda name: False)
    monkeypatch.setattr(openai, "download_openai", lambda name: pytest.fail("downloads"))
    small_size = ("INPUT.SIZE", "(32, 32)")
    found = measure(job(f"CoOp:size={small_size[1]}", "vit_b16_ctxv1"), configs_folder(), tmp_path)
    assert found.width == 32 and (tmp_path / "ViT-B-16.safetensors").is_file()
