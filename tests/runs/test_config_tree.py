"""Two configs are one run's unless a key differs that can change numbers."""

import pytest
import yaml
from yacs.config import CfgNode

from npt_plugin.config import DASSL_KEYS, KEYS, extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.runs.config_tree import (
    config_as_dict,
    config_difference,
    config_hash,
    config_text,
    flatten,
)
from npt_plugin.runs.old_keys import RENAMED


@pytest.fixture
def cfg():
    return extend_cfg(get_cfg_default())


def other(value):
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    return f"{value}x" if isinstance(value, str) else value + 1


@pytest.mark.parametrize("key", [*KEYS, *DASSL_KEYS], ids=lambda key: key.name)
def test_a_key_counts_exactly_if_its_row_says_so(cfg, key):
    before, hashed = config_as_dict(cfg), config_hash(cfg)
    changed = other(flatten(before)[key.name])
    cfg.merge_from_list([key.name, changed])
    difference = config_difference(before, config_as_dict(cfg))
    assert [line.split(":")[0] for line in difference] == ([key.name] if key.numbers else [])
    assert (config_hash(cfg) != hashed) == key.numbers


def test_a_key_that_the_old_config_lacks_had_its_default(cfg):
    old = config_as_dict(cfg)
    del old["TRAIN"]["STEPS"]
    assert config_difference(old, config_as_dict(cfg)) == []
    cfg.TRAIN.STEPS = 5
    assert config_difference(old, config_as_dict(cfg)) == ["TRAIN.STEPS: 0 -> 5"]


def test_keys_of_version_01_are_read_under_their_present_names(cfg):
    old = config_as_dict(cfg)
    for before, after in RENAMED.items():
        (node, key), (_, now) = before.split("."), after.split(".")
        old[node][key] = old[node].pop(now)
    assert config_difference(old, config_as_dict(cfg)) == []
    old["INPUT"]["FEATURE_CACHE"] = 8
    assert config_difference(old, config_as_dict(cfg)) == ["INPUT.CACHED_VIEWS: 8 -> 0"]
    old["MODEL"]["GONE_IN_THIS_VERSION"] = True
    assert len(config_difference(old, config_as_dict(cfg))) == 1


@pytest.mark.parametrize("libyaml", [True, False])
def test_a_config_as_text_says_what_yacs_writes(cfg, libyaml, monkeypatch):
    cfg.ODD = CfgNode()
    cfg.ODD.WORDS = "a photo of a {}, größer: 'yes' " + "and on " * 30
    cfg.ODD.EMPTY, cfg.ODD.NUMBER, cfg.ODD.MANY = "", 1e-20, tuple(range(60))
    cfg.ODD.LOOKS_LIKE = ["1", "true", "null", "0x10", "~", "2026-01-01", "a\nb"]
    if not libyaml:
        monkeypatch.delattr(yaml, "CSafeDumper", raising=False)
    assert yaml.safe_load(config_text(cfg)) == yaml.safe_load(cfg.dump())
