"""Keys of version 0.1 that are gone: refused with the reason, and no obstacle in old records."""

import json
import shutil

import pytest

from npt_plugin.config import defaults, extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.errors import UserError
from npt_plugin.runs.config_tree import config_as_dict, config_difference, flatten
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.old_keys import REMOVED
from npt_plugin.runs.settings import merge_options


@pytest.mark.parametrize("key", list(REMOVED))
def test_a_removed_key_is_refused_with_the_reason(key):
    assert key not in flatten(config_as_dict(defaults()))
    with pytest.raises(UserError, match=f"'{key}' was removed: .*; leave it out"):
        merge_options(extend_cfg(get_cfg_default()), [key, "x"])


def test_an_old_record_is_read_and_is_the_same_config(trained_run, tmp_path):
    run = shutil.copytree(trained_run, tmp_path / "old")
    record = json.loads((run / "results.json").read_text())
    new = json.loads(json.dumps(record["config"]))
    record["config"]["DATASET"]["FEWSHOT_CACHE"] = "off"
    record["config"]["INPUT"].update(IMAGE_CACHE="disk", IMAGE_CACHE_DIR="somewhere")
    (run / "results.json").write_text(json.dumps(record))
    cfg = RunFolder.open(run).config()
    assert cfg.INPUT.IMAGE_CACHE == "" and cfg.DATASET.NUM_SHOTS == 4
    record["config"]["INPUT"]["IMAGE_CACHE"] = ""
    assert config_difference(record["config"], new) == []


@pytest.mark.parametrize(
    "trainer, clip, differs",
    [("NPT_CoOp", "ViT-B/16", True), ("NPT_CoOp", "Tiny", False), ("CoOp", "ViT-B/16", False)],
)
def test_a_record_from_before_units_counted_cosines(trainer, clip, differs):
    """On the embedded CLIP both units are one number, and only NPT's terms have any."""
    cfg = extend_cfg(get_cfg_default())
    cfg.TRAINER.NAME, cfg.MODEL.BACKBONE.NAME = trainer, clip
    new, old = config_as_dict(cfg), config_as_dict(cfg)
    del old["TRAINER"]["NPT"]["UNITS"]
    wanted = ["TRAINER.NPT.UNITS: cosine -> logits"] if differs else []
    assert config_difference(old, new) == wanted
    if not trainer.startswith("NPT_"):
        return
    del old["TRAINER"]["NPT"]["PRIOR_COUNT"]
    prior = f"TRAINER.NPT.PRIOR_COUNT: 0.0 -> {cfg.TRAINER.NPT.PRIOR_COUNT}"
    assert config_difference(old, new) == [prior, *wanted]
    new["TRAINER"]["NPT"]["PRIOR_COUNT"] = 0.0
    assert config_difference(old, new) == wanted
    if differs:
        new["TRAINER"]["NPT"]["UNITS"] = "cosine"
        assert config_difference(old, new) == []
