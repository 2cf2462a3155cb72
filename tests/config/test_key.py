"""The rows of the config keys, and the tree they become."""

import pytest
from yacs.config import CfgNode

from npt_plugin.config import DASSL_KEYS, KEYS, defaults, extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.runs.config_tree import config_as_dict, flatten

ROWS = (*KEYS, *DASSL_KEYS)


def test_every_config_key_has_a_meaning_in_one_line():
    for key in ROWS:
        assert 3 <= len(key.meaning) <= 90 and "\n" not in key.meaning, key.name


def test_a_key_has_one_row_and_the_tree_has_no_other():
    names = [key.name for key in ROWS]
    assert len(set(names)) == len(names)
    assert flatten(config_as_dict(defaults())) == {key.name: key.default for key in KEYS}


def test_dassl_s_keys_are_dassl_s_and_ours_are_not():
    own = flatten(config_as_dict(get_cfg_default()))
    assert all(key.name in own and key.default is None for key in DASSL_KEYS)
    assert all(key.default is not None for key in KEYS)


@pytest.mark.parametrize("key", [k for k in KEYS if k.least is not None], ids=lambda k: k.name)
def test_a_default_is_within_its_own_bound(key):
    assert key.default >= key.least


def test_a_tree_is_made_anew_each_time():
    defaults().TRAINER.COOP.N_CTX = 99
    assert defaults().TRAINER.COOP.N_CTX == 16


def test_extending_adds_what_is_missing_and_changes_nothing_that_is_there():
    cfg = get_cfg_default()
    cfg.TRAINER.COOP = CfgNode({"N_CTX": 4, "OF_THE_HOST": "kept"})
    cfg.OPTIM.LR = 0.7
    assert extend_cfg(cfg) is cfg
    assert (cfg.TRAINER.COOP.N_CTX, cfg.TRAINER.COOP.OF_THE_HOST) == (4, "kept")
    assert cfg.TRAINER.COOP.CTX_INIT == "" and cfg.OPTIM.LR == 0.7  # missing; Dassl's own
    before = config_as_dict(cfg)
    assert config_as_dict(extend_cfg(cfg)) == before  # as often as one likes
