"""The locked presets."""

import importlib.util
import json
from pathlib import Path

import pytest

from npt_plugin.registration import register_all
from npt_plugin.reproduction.presets import config_of, drift, presets_of, stored
from npt_plugin.reproduction.tables import TABLES
from npt_plugin.runs.configs import configs_folder

SCRIPT = Path(__file__).parents[2] / "scripts" / "presets.py"
AVAILABLE = list(TABLES)


@pytest.fixture(autouse=True)
def registered():
    register_all(base=True)


def of(name, trainer, dataset):
    jobs = TABLES[name].grid("", "").jobs()
    return next(job for job in jobs if (job.trainer, job.dataset) == (trainer, dataset))


def test_the_configs_are_the_presets():
    spec = importlib.util.spec_from_file_location("presets", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    now = json.loads(script.text())
    assert sorted(now) == sorted(AVAILABLE)
    for name in AVAILABLE:
        jobs = TABLES[name].grid("", "").jobs()
        for job in {(job.trainer, job.dataset, job.ratio): job for job in jobs}.values():
            assert drift(stored(name), job, config_of(job, configs_folder())) == []


def test_what_the_presets_hold():
    held = stored("cocoop-table2")["CoOp"]
    assert held["all"]["OPTIM.LR"] == 0.002 and held["all"]["DATASET.NUM_SHOTS"] == 16
    assert held["imagenet tau 1"]["OPTIM.MAX_EPOCH"] == 50
    assert held["dtd tau 1"]["OPTIM.MAX_EPOCH"] == 200
    assert not {"SEED", "DATASET.ROOT", "OUTPUT_DIR"} & {*held["all"], *held["dtd tau 1"]}
    imbalanced = stored("npt-imbalanced")["NPT_MaPLe"]
    assert imbalanced["dtd tau 0.06"]["DATASET.IMBALANCE.RATIO"] == 0.06


def test_one_wrong_number_is_named():
    job = of("cocoop-table2", "CoCoOp", "dtd")
    config = config_of(job, configs_folder())
    config["OPTIM"]["LR"] = 0.02
    config["TRAINER"]["COCOOP"]["CTX_INIT"] = "/home/me/words"
    assert drift(stored("cocoop-table2"), job, config) == [
        "OPTIM.LR: 0.002 -> 0.02",
        "TRAINER.COCOOP.CTX_INIT: a photo of a -> words",  # no folder of anybody
    ]


def test_a_key_of_ours_that_left_its_default_is_named():
    job = of("cocoop-table2", "CoOp", "dtd")
    config = config_of(job, configs_folder())
    config["TRAIN"]["STEPS"] = 9
    assert drift(stored("cocoop-table2"), job, config) == ["TRAIN.STEPS: 0 -> 9"]


def test_a_key_that_fell_back_to_our_default_is_named():
    job = of("cocoop-table2", "CoCoOp", "dtd")
    config = config_of(job, configs_folder())
    config["TRAINER"]["COCOOP"]["N_CTX"] = 16
    assert drift(stored("cocoop-table2"), job, config) == ["TRAINER.COCOOP.N_CTX: 4 -> 16"]


def test_defaults_of_our_own_methods_are_part_of_their_preset():
    job, held = of("npt-imbalanced", "NPT_MaPLe", "dtd"), stored("npt-imbalanced")
    weights = [key for key in held["NPT_MaPLe"]["all"] if key.startswith("TRAINER.NPT.")]
    assert weights and not [key for key in held["MaPLe"]["all"] if key.startswith("TRAINER.NPT.")]
    assert drift(held, job, config_of(job, configs_folder())) == []


def test_a_run_that_tests_has_data_of_its_own():
    job = of("cocoop-table2", "CoOp", "dtd")
    config = config_of(job, configs_folder())
    config["DATASET"]["SUBSAMPLE_CLASSES"] = "new"
    assert drift(stored("cocoop-table2"), job, config, trains=False) == []
    assert drift(stored("cocoop-table2"), job, config) != []


def test_common_keys_stand_once():
    jobs = TABLES["maple-base2new"].grid("", "").jobs()
    held = presets_of(jobs, configs_folder())["MaPLe"]
    assert len(held) == 12 and held["dtd tau 1"] == {"DATASET.NAME": "DescribableTextures"}
