"""Our keys outlive whatever a host does to its config, with the values they had."""

from __future__ import annotations

import itertools
import pickle

import pytest
from yacs.config import CfgNode

import npt_plugin
from npt_plugin.config import KEYS
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.errors import UserError
from npt_plugin.hosts.kept_config import config_for_host, extend_and_keep, value_of

ASKED = ["TRAINER.NPT.LAMBDA_LC", 0.5, "DATASET.IMBALANCE.RATIO", 0.1, "TRAINER.MINE.DEPTH", 7]


def fresh() -> CfgNode:
    cfg = get_cfg_default()
    extend_and_keep(cfg)
    return cfg


def clean(cfg: CfgNode) -> CfgNode:
    """As Dassl's ``clean_cfg``."""
    for key in list(cfg.TRAINER.keys()):
        if key not in ("NAME", "MINE"):
            cfg.TRAINER.pop(key, None)
    return cfg


def drop(cfg: CfgNode) -> CfgNode:
    """The whole section anew."""
    cfg.TRAINER = CfgNode({"NAME": cfg.TRAINER.NAME, "MINE": dict(cfg.TRAINER.get("MINE", {}))})
    del cfg.DATASET["IMBALANCE"]
    return cfg


def extend(cfg: CfgNode) -> CfgNode:
    cfg.TRAINER.MINE = CfgNode({"DEPTH": 3})
    return cfg


def merge(cfg: CfgNode) -> CfgNode:
    cfg.merge_from_list(ASKED)
    return cfg


def copy(cfg: CfgNode) -> CfgNode:
    return cfg.clone()


def freeze_and_thaw(cfg: CfgNode) -> CfgNode:
    cfg.freeze()
    cfg.defrost()
    return cfg


def over_a_process(cfg: CfgNode) -> CfgNode:
    return pickle.loads(pickle.dumps(cfg))


STEPS = (clean, drop, copy, freeze_and_thaw, over_a_process)


@pytest.mark.parametrize("steps", list(itertools.permutations((*STEPS, merge), 3)))
def test_keys_keep_their_values_in_any_order(steps) -> None:
    cfg = extend(fresh())
    if merge not in steps:
        steps = (*steps, merge)
    for step in steps:
        cfg = step(cfg)
    cfg.freeze()
    for name, value in zip(ASKED[::2], ASKED[1::2], strict=True):
        assert value_of(cfg, name) == value
    for key in KEYS:
        if key.default is not None and key.name not in ASKED:
            assert value_of(cfg, key.name) == key.default, key.name


def test_a_file_with_our_keys_merges_after_a_cleaning(tmp_path) -> None:
    file = tmp_path / "npt.yaml"
    file.write_text("TRAINER:\n  NPT:\n    VERSION: v2\n")
    cfg = clean(fresh())
    cfg.merge_from_file(str(file))
    assert clean(cfg) is cfg and "NPT" not in cfg.TRAINER
    cfg.merge_from_other_cfg(CfgNode({"SEED": 4}))
    assert cfg.TRAINER.NPT.VERSION == "v2" and cfg.SEED == 4


def test_a_hosts_own_section_of_our_name_stays_its_own() -> None:
    cfg = fresh()
    cfg.TRAINER.LINEAR_PROBE = CfgNode({"TYPE": "linear"})
    cfg.TRAINER.HEAD = "none"
    cfg.freeze()
    assert cfg.TRAINER.LINEAR_PROBE.TYPE == "linear" and cfg.TRAINER.HEAD == "none"


@pytest.mark.parametrize("frozen", [True, False])
def test_the_host_gets_a_copy_with_its_own_name(frozen) -> None:
    cfg = merge(extend(fresh()))
    cfg.TRAINER.NAME = "NPT_Mine"
    clean(cfg)
    if frozen:
        cfg.freeze()
    own = config_for_host(cfg, "Mine")
    assert own.TRAINER.NAME == "Mine" and cfg.TRAINER.NAME == "NPT_Mine"
    assert own.TRAINER.NPT.LAMBDA_LC == 0.5 and own.is_frozen() == frozen


def test_keys_that_nothing_remembers_are_not_guessed() -> None:
    cfg = clean(npt_plugin.extend_cfg(get_cfg_default()))
    with pytest.raises(UserError, match="lost the section TRAINER.NPT: call npt_plugin.extend"):
        config_for_host(cfg, "Mine")
