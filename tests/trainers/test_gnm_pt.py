"""GNM_PT: its feature, its dropout, and the published config on CIFAR files."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.cli.train import main
from npt_plugin.losses.gcl import GCLLoss
from npt_plugin.optim.gnm import GNM
from npt_plugin.runs.settings import merge_file

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SHORT = [
    "INPUT.SIZE",
    "(32, 32)",
    "INPUT.CUTOUT_LEN",
    "16",
    "DATASET.IMBALANCE.RATIO",
    "0.1",
    "DATALOADER.NUM_WORKERS",
    "0",
    "DATALOADER.TRAIN_X.BATCH_SIZE",
    "8",
    "OPTIM.MAX_EPOCH",
    "3",
    "TRAINER.IMBALANCE_LOSS.DRW_EPOCH",
    "1",
]


def test_dropout_is_active_in_all_of_training_and_never_in_evaluation(make_trainer):
    trainer = make_trainer("GNM_PT", "TRAINER.GNM_PT.DROPOUT", "0.5")
    images, _ = trainer.parse_batch_train(next(iter(trainer.train_loader_x)))
    trainer.set_model_mode("train")
    seen = [trainer.model.encode(images).logits for _ in range(2)]
    assert not torch.allclose(*seen)
    trainer.set_model_mode("eval")
    seen = [trainer.model.encode(images).logits for _ in range(2)]
    assert torch.equal(*seen)


@pytest.mark.numerics
@pytest.mark.parametrize("normed", ["True", "False"])
@pytest.mark.parametrize("feature", ["ln_post", "projected"])
def test_gnm_pt_averages_class_token_and_prompt_outputs(make_trainer, normed, feature):
    options = ("TRAINER.GNM_PT.NORM_PROMPTS", normed, "TRAINER.GNM_PT.FEATURE", feature)
    model = make_trainer("GNM_PT", *options, "TRAINER.GNM_PT.N_CTX", "3").model
    visual, image = model.image_encoder.visual, torch.randn(1, 3, 32, 32)
    x = model.image_encoder.embed(image)[0]  # (17, W)
    for index, block in enumerate(visual.transformer.resblocks):
        x = block(torch.cat([x[:17], model.prompts[index]])[:, None])[:, 0]
    outputs = [visual.ln_post(o) if normed == "True" else o for o in x[17:]]
    expected = (visual.ln_post(x[0]) + sum(outputs) / 3) / 2
    if feature == "projected":
        expected = expected @ visual.proj
    assert gap(model.image_features(image)[0], expected) <= DOUBLE


def test_published_gnm_pt_config_switches_everything_on(make_trainer):
    trainer = make_trainer("GNM_PT")
    assert not isinstance(trainer.optim, GNM)  # nothing is hard-wired
    cfg = trainer.cfg.clone()
    cfg.defrost()
    merge_file(cfg, str(CONFIGS / "trainers" / "GNM_PT" / "vit_b16_ep70.yaml"))
    loss, optim = cfg.TRAINER.IMBALANCE_LOSS, cfg.OPTIM
    assert (loss.NAME, loss.DRW_EPOCH, loss.DRW_BETA) == ("gcl", 59, 0.9998)
    assert (optim.MAX_EPOCH, optim.LR, optim.WEIGHT_DECAY) == (70, 0.005, 0.001)
    assert optim.GNM.ENABLED and optim.GNM.RHO * optim.GNM.SCALE == pytest.approx(0.005)
    assert cfg.DATALOADER.TRAIN_X.BATCH_SIZE == 128 and cfg.TRAINER.HEAD.SCALE == 25
    options = [
        *("TRAINER.IMBALANCE_LOSS.NAME", "gcl", "TRAINER.IMBALANCE_LOSS.DRW_EPOCH", "0"),
        *("TRAINER.HEAD.SCALE", "25.", "OPTIM.GNM.ENABLED", "True"),
    ]
    trainer = make_trainer("GNM_PT", *options)
    assert isinstance(trainer.optim, GNM) and isinstance(trainer.classification_loss, GCLLoss)
    assert trainer.classification_loss.shift == pytest.approx(0.1 * 25)
    trainer.train()


def cifar_files(root: Path) -> None:
    """Five classes, 20 training and 4 test images each."""
    folder, rng = root / "cifar-100" / "cifar-100-binary", np.random.default_rng(0)
    folder.mkdir(parents=True)
    for name, number in (("train.bin", 100), ("test.bin", 20)):
        data = rng.integers(0, 256, (number, 3074), dtype=np.uint8)
        data[:, 1] = np.arange(number) % 5
        data.tofile(folder / name)
    (folder / "fine_label_names.txt").write_text("apple\naquarium_fish\nbaby\nbear\nbeaver\n")


def test_trains_with_gcl_deferred_weights_and_gnm(small_clip_file, tmp_path, monkeypatch):
    cifar_files(tmp_path)
    words = ["--root", str(tmp_path), "--output-dir", str(tmp_path / "run"), "--seed", "1"]
    words += ["--trainer", "GNM_PT"]
    words += ["--dataset-config-file", str(CONFIGS / "datasets" / "cifar100_lt.yaml")]
    words += ["--config-file", str(CONFIGS / "trainers" / "GNM_PT" / "vit_b16_ep70_cifar.yaml")]
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # Dassl's logger replaces it
    assert main([*words, *SHORT, "MODEL.CLIP_WEIGHTS", str(small_clip_file)]) == 0
    record = json.loads((tmp_path / "run" / "results.json").read_text())
    assert record["status"] == "completed" and record["class_counts"] == [20, 11, 6, 3, 2]
    assert record["config"]["OPTIM"]["GNM"]["ENABLED"]
    assert record["thresholds"] == {"many_above": 100, "few_below": 20}
    assert len(record["history"]) == 3
