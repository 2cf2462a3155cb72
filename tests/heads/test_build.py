"""The head that a config asks for."""

import pytest
import torch
import torch.nn.functional as F
from yacs.config import CfgNode

from npt_plugin.config import defaults
from npt_plugin.errors import UserError
from npt_plugin.heads.build import HEADS, INITS, build_head, check_head
from npt_plugin.heads.head import CosineHead, LinearHead, TextHead

K, D = 4, 6


def node(**values) -> CfgNode:
    found = defaults().TRAINER.HEAD
    for key, value in values.items():
        found[key] = value
    return found


def never():
    raise AssertionError("text features are not needed")


def test_build_head_reads_its_node():
    text = F.normalize(torch.randn(K, D), dim=-1)
    assert build_head(node(), K, D, 17.5, lambda: text).scale == 17.5
    assert build_head(node(SCALE=25.0), K, D, 17.5, lambda: text).scale == 25.0
    for name in HEADS[1:]:
        head = build_head(node(NAME=name), K, D, 17.5, lambda: text)
        assert torch.equal(head.rows(), text)
        for init in ("random", "mean"):
            assert build_head(node(NAME=name, INIT=init), K, D, 1.0, never).rows().shape == (K, D)
    assert build_head(node(NAME="linear"), K, D, 1.0, lambda: text, tau=0.5).tau == 0.5


@pytest.mark.parametrize("key, value", [("NAME", "mlp"), ("INIT", "zeros"), ("SCALE", -1.0)])
def test_bad_head_settings_are_named(key, value):
    with pytest.raises(UserError, match=rf"TRAINER\.HEAD\.{key} is"):
        build_head(node(**{key: value}), K, D, 1.0, never)


def test_every_name_and_start_gives_its_kind_of_head():
    kinds = {"text": TextHead, "cosine": CosineHead, "linear": LinearHead}
    assert set(kinds) == set(HEADS)
    text = F.normalize(torch.randn(K, D), dim=-1)
    for name, kind in kinds.items():
        for init in INITS:
            check_head(node(NAME=name, INIT=init))
            assert type(build_head(node(NAME=name, INIT=init), K, D, 1.0, lambda: text)) is kind


def test_starts_at_random_differ_by_kind():
    torch.manual_seed(0)
    cosine, linear = (
        build_head(node(NAME=name, INIT="random"), 50, 100, 1.0, never) for name in HEADS[1:]
    )
    assert cosine.rows().abs().max() <= 0.04 < linear.rows().abs().max() <= 0.1
