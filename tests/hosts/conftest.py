"""Lets the tests of this folder import its helper modules, and builds reference trainers."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

SETTINGS = (
    "TRAINER.COCOOP.N_CTX",
    "3",
    "TRAINER.MAPLE.PROMPT_DEPTH",
    "2",
    "TRAINER.NPT.LAMBDA_LC",
    "1.",
    "TRAINER.NPT.LAMBDA_MI",
    "1.",
    "TRAINER.NPT.LC.FORM",
    "etf",
    "TRAINER.NPT.MI.FORM",
    "etf",
    "TRAINER.NPT.MI.MOMENTUM",
    "0.",
    "TRAINER.NPT.CENTER",
    "False",
)


@pytest.fixture
def make(make_trainer):
    """``make("HostCoOp", wrapped=True, ...)``: a reference trainer with our fixtures' config."""

    from reference_trainers import HOSTS

    from npt_plugin.hosts.wrap import make_host_trainer
    from npt_plugin.system.random_state import set_random_seed

    def build(name, *options, wrapped=True, cls=None, changes=()):
        cfg = make_trainer("ZeroshotCLIP", *SETTINGS, *options).cfg.clone()
        cfg.defrost()
        cfg.MODEL.BACKBONE.NAME, cfg.MODEL.CLIP_WEIGHTS = cfg.MODEL.CLIP_WEIGHTS, ""
        cfg.merge_from_list(list(changes))
        host = cls or HOSTS[name]
        set_random_seed(3)
        trainer = (make_host_trainer(host) if wrapped else host)(cfg)
        trainer.set_model_mode("train")
        return trainer

    return build
