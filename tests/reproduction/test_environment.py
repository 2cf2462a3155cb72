"""The record of the environment, and that it can be shared."""

import json

from npt_plugin.reproduction.comparing import compare
from npt_plugin.reproduction.data_at_hand import Verified
from npt_plugin.reproduction.environment import environment


def test_versions_hashes_data_and_no_path(table, jobs, put, tmp_path, presets):
    gpu = {"torch": "2.4", "device": "A card"}
    more = {"versions": gpu, "seconds": {"train": 3.0}, "working_dir": str(tmp_path)}
    put("dtd", "CoOp", 1, 80, 40, peak_memory={"process_mib": 7.0, "device_mib": None}, **more)
    data = {"dtd": Verified(True, "abc", "47 classes", True, 0), "eurosat": Verified(False)}
    found = environment(compare(table, jobs, presets), data)
    assert found["run_versions"] == [{"runs": 2, **gpu}] and found["judged_by"]["torch"]
    assert found["seconds"] == 6.0 and found["peak_memory_mib"] == 7.0
    place = "base2new/train_base/dtd/shots_16/ratio_1/CoOp/cfg/seed1"
    assert found["config_hashes"][place] == "0"
    assert found["datasets"]["dtd"]["as_published"] and not found["datasets"]["eurosat"]["there"]
    assert str(tmp_path) not in json.dumps(found) and "/root" not in json.dumps(found)
