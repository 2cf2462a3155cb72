"""The published GNM_PT config on CIFAR100-LT files in their real format, shortened."""

import json
import sys
from pathlib import Path

import numpy as np

from npt_plugin.cli.train import main

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
