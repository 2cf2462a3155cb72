import pytest
from minidassl.config import clean_cfg, get_cfg_default

COOP_YAML = """
DATALOADER:
  TRAIN_X:
    BATCH_SIZE: 32
  TEST:
    BATCH_SIZE: 100
  NUM_WORKERS: 8
INPUT:
  SIZE: (224, 224)
  INTERPOLATION: "bicubic"
  PIXEL_MEAN: [0.48145466, 0.4578275, 0.40821073]
  PIXEL_STD: [0.26862954, 0.26130258, 0.27577711]
  TRANSFORMS: ["random_resized_crop", "random_flip", "normalize"]
OPTIM:
  NAME: "sgd"
  LR: 0.002
  MAX_EPOCH: 50
  LR_SCHEDULER: "cosine"
  WARMUP_EPOCH: 1
  WARMUP_TYPE: "constant"
  WARMUP_CONS_LR: 1e-5
TRAIN:
  PRINT_FREQ: 5
MODEL:
  BACKBONE:
    NAME: "ViT-B/16"
"""


def test_defaults_that_published_results_rest_on():
    cfg = get_cfg_default()
    assert cfg.OPTIM.WEIGHT_DECAY == 5e-4 and cfg.OPTIM.MOMENTUM == 0.9
    assert cfg.INPUT.RRCROP_SCALE == (0.08, 1.0) and cfg.INPUT.PIXEL_STD[2] == 0.225
    assert cfg.DATALOADER.TRAIN_X.SAMPLER == "RandomSampler" and cfg.TEST.SPLIT == "test"
    assert cfg.TEST.FINAL_MODEL == "last_step" and cfg.DATASET.NUM_SHOTS == -1
    assert cfg.TRAINER.FIXMATCH.CONF_THRE == 0.95 and cfg.TRAINER.DAEL.STRONG_TRANSFORMS == ()


def test_existing_yaml_loads(tmp_path):
    path = tmp_path / "coop.yaml"
    path.write_text(COOP_YAML)
    cfg = get_cfg_default()
    cfg.merge_from_file(str(path))
    assert cfg.OPTIM.LR == 0.002 and cfg.INPUT.SIZE == (224, 224)
    assert list(cfg.INPUT.TRANSFORMS) == ["random_resized_crop", "random_flip", "normalize"]


def test_unknown_key_and_wrong_type_are_refused():
    cfg = get_cfg_default()
    with pytest.raises(AssertionError, match="OPTIM.LEARNING_RATE"):
        cfg.merge_from_list(["OPTIM.LEARNING_RATE", 1.0])
    with pytest.raises(ValueError):
        cfg.merge_from_list(["OPTIM.LR", "fast"])


def test_each_tree_is_its_own():
    first, second = get_cfg_default(), get_cfg_default()
    first.DATALOADER.TRAIN_X.BATCH_SIZE = 7
    first.INPUT.PIXEL_MEAN.append(1.0)
    first.TRAINER.DAEL.WEIGHT_U = 9.0
    assert second.DATALOADER.TRAIN_X.BATCH_SIZE == second.DATALOADER.TRAIN_U.BATCH_SIZE == 32
    assert len(second.INPUT.PIXEL_MEAN) == 3 and second.TRAINER.DAELDG.WEIGHT_U == 0.5


def test_clean_cfg_keeps_one_trainer():
    cfg = get_cfg_default()
    clean_cfg(cfg, "fixmatch")
    assert sorted(cfg.TRAINER) == ["FIXMATCH", "NAME"]
