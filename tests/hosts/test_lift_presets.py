"""LIFT's presets against its public checkout's own yaml, defaults and commands.

Every key of theirs has a key of ours with the same value, or a reason. Runs when NPT_HOSTS names a
folder with a checkout (``LIFT``, commit 661ead9).
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from host_world import HOSTS

from npt_plugin.registration import register_all
from npt_plugin.runs.config_tree import config_as_dict, flatten
from npt_plugin.runs.settings import Request, build_cfg

THERE = bool(HOSTS) and Path(HOSTS, "LIFT").is_dir()
pytestmark = pytest.mark.skipif(not THERE, reason="NPT_HOSTS names no folder with LIFT")

OURS = {  # theirs: ours, and theirs as we spell it
    "backbone": ("MODEL.BACKBONE.NAME", {"CLIP-ViT-B/16": "ViT-B/16"}),
    "resolution": ("INPUT.SIZE", {224: [224, 224]}),
    "prec": ("TRAINER.FINE_TUNE.PREC", {}),
    "num_epochs": ("OPTIM.MAX_EPOCH", {}),
    "batch_size": ("DATALOADER.TRAIN_X.BATCH_SIZE", {}),
    "lr": ("OPTIM.LR", {}),
    "weight_decay": ("OPTIM.WEIGHT_DECAY", {"5e-4": 5e-4}),  # a text to yaml, a number to yacs
    "momentum": ("OPTIM.MOMENTUM", {}),
    "loss_type": ("TRAINER.IMBALANCE_LOSS.NAME", {"LA": "logit_adjustment"}),
    "classifier": ("TRAINER.HEAD.NAME", {"CosineClassifier": "cosine"}),
    "scale": ("TRAINER.HEAD.SCALE", {}),
    "adaptformer": ("TRAINER.FINE_TUNE.METHOD", {True: "adaptformer"}),
    "adaptformer_scale": ("TRAINER.FINE_TUNE.ADAPTFORMER_FORM", {"learnable": "lift"}),
    "adapter_dim": ("TRAINER.FINE_TUNE.RANK", {None: 0}),
    "init_head": ("TRAINER.HEAD.INIT", {"text_feat": "text"}),
    "prompt": ("TRAINER.ZSCLIP.TEMPLATE", {"default": "a photo of a {}."}),
    "expand": ("TEST.CROP_MARGIN", {24: 0}),  # 1.5 patches; theirs is 21 for ViT-L/14
    "tte_mode": ("TEST.ENSEMBLE", {"fivecrop": "crops"}),
}
REASONS = {
    "dataset": "configs/datasets has the same sets",
    "root": "where a user keeps the data",
    "imb_factor": "DATASET.IMBALANCE.RATIO of configs/datasets/cifar100_lt*.yaml",
    "output_dir": "where results go",
    "model_dir": "where results go",
    "print_freq": "changes no number",
    "num_workers": "loader processes: which crop an image gets differs, its distribution does not",
    "gpu": "which device",
    "deterministic": "of cuDNN; a run of ours resumes bit for bit on one device in any case",
    "seed": "the run's; npt reproduce takes theirs, 0",
    "micro_batch_size": "equal to batch_size: no accumulation",
    "tte": "False for training and True for a second test: ours tests both in one run",
    "randaug_times": "of another tte_mode",
    "zero_shot": "trainer ZeroshotCLIP",
    "test_only": "npt eval",
    "test_train": "not used",
    "partial": "all blocks",
    "vpt_len": "of another method",
    "mask_ratio": "of another method",
    "mask_seed": "of another method",
}
OTHER_METHODS = re.compile(r".*_tuning|vpt_.*|adapter|lora.*|ssf_.*|mask")
LEFT = {
    "the last, smaller batch of an epoch": (
        "DataLoader(train_dataset,\n            batch_size=cfg.micro_batch_size, shuffle=True,",
        "Dassl drops it where there are other batches: CIFAR100-LT IR 100 has 84 steps, not 85",
    )
}
"""What is in their code and not in ours: the lines, and what it comes to."""


def their_config(dataset: str, *options: str) -> dict[str, Any]:
    """Their effective keys: defaults, data file, model file, options."""
    root = Path(HOSTS, "LIFT")
    defaults = runpy.run_path(str(root / "utils/config.py"))["_C"]
    cfg = config_as_dict(defaults)
    for file in (f"configs/data/{dataset}.yaml", "configs/model/clip_vit_b16.yaml"):
        cfg |= yaml.safe_load((root / file).read_text())
    words = zip(options[::2], options[1::2], strict=True)
    return cfg | {key: yaml.safe_load(value) for key, value in words}


def commands() -> dict[str, tuple[str, ...]]:
    """Dataset to the options of its training in their script of the main tables."""
    script = Path(HOSTS, "LIFT", "scripts/run_tab1to4_main_results.sh").read_text()
    lines = re.findall(r"-d (\w+) -m clip_vit_b16 (.*)", script)
    return {name: tuple(words.split()) for name, words in lines if "test_only" not in words}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        *((f"cifar100_ir{ir}", "vit_b16_lift_ep10") for ir in (100, 50, 10)),
        ("imagenet_lt", "vit_b16_lift_ep10"),
        ("places_lt", "vit_b16_lift_ep10"),
        ("inat2018", "vit_b16_lift_ep20"),
    ],
)
def test_every_key_of_theirs_is_ours_or_has_a_reason(theirs, ours):
    register_all(base=True)
    request = Request("FineTune", "cifar100_lt", ours)
    mine = flatten(config_as_dict(build_cfg(request)))
    wanted = their_config(theirs, *commands()[theirs])
    for key, value in wanted.items():
        if key in OURS:
            name, spelled = OURS[key]
            assert mine[name] == spelled.get(value, value), (key, name)
        else:
            other = OTHER_METHODS.fullmatch(key) and value is False
            assert key in REASONS or other, f"{key}: {value} has no place and no reason"
    assert OURS.keys() <= wanted.keys() and REASONS.keys() <= wanted.keys()


def test_the_transforms_are_theirs():
    """Training: crop and flip; test: the shorter side at 8/7 of the size, then the centre."""
    code = Path(HOSTS, "LIFT", "trainer.py").read_text()
    assert (
        "transforms.Resize(resolution * 8 // 7)" in code and "Resize(resolution + expand)" in code
    )
    assert "transforms.RandomResizedCrop(resolution)" in code and "BICUBIC" not in code
    register_all(base=True)
    node = build_cfg(Request("FineTune", "cifar100_lt", "vit_b16_lift_ep10")).INPUT
    assert (node.TEST_RESIZE, node.INTERPOLATION) == (224 * 8 // 7, "bilinear")
    assert list(node.TRANSFORMS) == ["random_resized_crop", "random_flip", "normalize"]
    assert tuple(node.RRCROP_SCALE) == (0.08, 1.0)  # torchvision's default
    for numbers in (node.PIXEL_MEAN, node.PIXEL_STD):
        assert str(list(numbers)) in code


def test_what_differs_is_still_in_their_code():
    code = Path(HOSTS, "LIFT", "trainer.py").read_text()
    for lines, _ in LEFT.values():
        assert lines in code
