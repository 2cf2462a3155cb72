"""Shared by the tests of the objective: one batch of features, and configs of every form."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from yacs.config import CfgNode

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.config import defaults
from npt_plugin.losses.collapse import COLLAPSE_FORMS
from npt_plugin.losses.isomorphism import ISOMORPHISM_FORMS

K, D, B = 7, 16, 4
COUNTS = torch.tensor([16, 12, 9, 6, 4, 2, 1])
LABELS = torch.tensor([0, 3, 3, 6])
ZERO_SHOT = F.normalize(torch.randn(K, D, generator=torch.Generator().manual_seed(5)), dim=1)
PLAIN = dict(
    LAMBDA_LC=1.0,
    LAMBDA_MI=1.0,
    CENTER=False,
    LC__FORM="etf",
    MI__FORM="etf",
    MI__MOMENTUM=0.0,
    PRIOR_COUNT=0.0,
)


def config(**keys: object) -> CfgNode:
    """The plain forms at weight 1, changed by ``keys``: tests do not move with the defaults."""
    cfg = defaults()
    for key, value in (PLAIN | keys).items():
        node, *path = cfg.TRAINER.NPT, *key.split("__")
        for name in path[:-1]:
            node = node[name]
        assert path[-1] in node
        node[path[-1]] = value
    return cfg


def outputs(
    conditional: bool = False, dtype: torch.dtype = torch.float64, seed: int = 0
) -> PromptOutputs:
    """Random unit features of the batch, with gradients."""
    g = torch.Generator().manual_seed(seed)
    shape = (B, K, D) if conditional else (K, D)
    images = F.normalize(torch.randn(B, D, generator=g), dim=-1).to(dtype)
    text = F.normalize(torch.randn(shape, generator=g), dim=-1).to(dtype)
    return PromptOutputs(
        images @ text.mT if not conditional else images[:, :1].expand(B, K),
        images.requires_grad_(),
        text.requires_grad_(),
    )


EVERY_FORM = [
    dict(VERSION=v, LC__FORM=lc, MI__FORM=mi, CENTER=center, MI__MOMENTUM=mu)
    for v, lc, mi, center, mu in itertools.chain(
        itertools.product(["v3"], COLLAPSE_FORMS, ["etf"], [False, True], [0.0]),
        itertools.product(["v3"], ["etf"], ISOMORPHISM_FORMS, [False, True], [0.0, 0.9]),
        [("v2", "etf", "etf", False, 0.0), ("cpt", "etf", "etf", False, 0.0)],
    )
]
