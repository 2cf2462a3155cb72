"""The protocols of the field: the runs each is made of, and every trainer's published config."""

from __future__ import annotations

from dataclasses import dataclass

from npt_plugin.backbone.loading import TINY
from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.runs.layout import ALL_SHOTS

VARIANTS = ("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r")
"""Datasets that domain generalisation is tested on, in the order of the published tables."""


@dataclass(frozen=True)
class Part:
    """One kind of run in a protocol.

    Attributes:
        name: What users call it.
        folder: Its folder below the protocol's; ``{source}`` is the dataset trained on.
        trains: Whether it trains; if not, it tests what the part that trains has learned.
        classes: ``DATASET.SUBSAMPLE_CLASSES``; "": the dataset config's own.
        elsewhere: Whether it tests on another dataset than the one trained on.
    """

    name: str
    folder: str = ""
    trains: bool = False
    classes: str = ""
    elsewhere: bool = False


@dataclass(frozen=True)
class Protocol:
    """How a method is trained and tested.

    Attributes:
        name: What users call it.
        folder: Its folder below the output folder.
        meaning: One line.
        parts: The first trains. Those from ``optional`` on only run when asked for.
        optional: How many of the first parts make a whole job.
        samples: Whether shots and imbalance ratio of a job choose its training images; if not,
            the dataset has its own training set.
    """

    name: str
    folder: str
    meaning: str
    parts: tuple[Part, ...]
    optional: int = 2
    samples: bool = True

    def part(self, name: str) -> Part:
        """The part of that name.

        Raises:
            UserError: If there is none.
        """
        named = {part.name: part for part in self.parts}
        if name not in named:
            raise UserError(
                f"{self.name} has no part {name!r}{nearest_hint(name, named)}; it has "
                f"{', '.join(named)}."
            )
        return named[name]


_TRANSFER = (
    Part("train", "train", trains=True),
    Part("test", "test_from_{source}", elsewhere=True),
)

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "base2new",
            "base2new",
            "train and test on the base classes, test on the new ones",
            (
                Part("train", "train_base", trains=True, classes="base"),
                Part("new", "test_new", classes="new"),
                Part("base", "test_base", classes="base"),
                Part("all", "test_all", classes="all"),
            ),
        ),
        Protocol(
            "few_shot", "few_shot", "train and test on all classes", (Part("train", trains=True),)
        ),
        Protocol("xd", "xd", "train on a source dataset, test on others", _TRANSFER),
        Protocol("dg", "xd", "train on ImageNet, test on its four variants", _TRANSFER),
        Protocol(
            "long_tail",
            "long_tail",
            "train on a long-tailed dataset as it is",
            (Part("train", trains=True),),
            samples=False,
        ),
    )
}


def protocol_named(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        UserError: If there is none.
    """
    if name not in PROTOCOLS:
        raise UserError(
            f"There is no protocol {name!r}{nearest_hint(name, PROTOCOLS)}; there are "
            f"{', '.join(PROTOCOLS)}."
        )
    return PROTOCOLS[name]


_STEMS = {
    "ViT-B/16": "vit_b16",
    "ViT-B/32": "vit_b32",
    "RN50": "rn50",
    "RN101": "rn101",
    TINY: "tiny",
}
"""Backbones that configs are published for, and how their file names begin."""

_OF_ANY_PROTOCOL = {
    "CoCoOp": {"tiny": "tiny_ep10", "vit_b16": "vit_b16_c4_ep10_batch1_ctxv1"},
    "MaPLe": {"tiny": "tiny_ep5", "vit_b16": "vit_b16_c2_ep5_batch4_2ctx"},
    "VPT": {"tiny": "tiny_ep5", "vit_b16": "vit_b16_c2_ep5_batch4_4"},
    "IVLP": {"tiny": "tiny_ep5", "vit_b16": "vit_b16_c2_ep5_batch4_2+2ctx"},
    "KgCoOp": {"tiny": "tiny_ep50_ctxv1", "vit_b16": "vit_b16_ep100_ctxv1", "rn50": "rn50_ep100"},
    "ProGrad": {"tiny": "tiny_ep50_ctxv1", "vit_b16": "vit_b16_ep100", "rn50": "rn50_ep100"},
    "PromptSRC": {"tiny": "tiny_ep5", "vit_b16": "vit_b16_c2_ep20_batch4_4+4ctx"},
    "Candle": {"tiny": "tiny_ep50", "vit_b16": "vit_b16_bs128_ep50"},
    "LinearProbe": {"tiny": "tiny_ep20", "vit_b16": "vit_b16_linear_ep50"},
    "Decoder": {"tiny": "tiny_ep20", "vit_b16": "vit_b16_steps8192"},
    "GNM_PT": {"tiny": "tiny_ep20", "vit_b16": "vit_b16_ep70"},
    "FineTune": {"tiny": "tiny_adaptformer_ep20", "vit_b16": "vit_b16_adaptformer_ep10"},
    "TwoStage": {"tiny": "tiny_ep10", "vit_b16": "vit_b16_ep10"},
}
"""Trainer, beginning of the file name, file name. Where a backbone is not there the config of
ViT-B/16 goes with ``--backbone``."""

_OF_ONE = {
    ("MaPLe", "xd", "vit_b16"): "vit_b16_c2_ep5_batch4_2ctx_cross_datasets",
    ("MaPLe", "dg", "vit_b16"): "vit_b16_c2_ep5_batch4_2ctx_cross_datasets",
    ("FineTune", "long_tail", "vit_b16"): "vit_b16_lift_ep10",
    ("FineTune", "long_tail", "tiny"): "tiny_lift_ep10",
    ("PromptSRC", "xd", "vit_b16"): "vit_b16_c2_ep20_batch4_4+4ctx_cross_datasets",
    ("PromptSRC", "dg", "vit_b16"): "vit_b16_c2_ep20_batch4_4+4ctx_cross_datasets",
    ("PromptSRC", "few_shot", "vit_b16"): "vit_b16_c2_ep50_batch4_4+4ctx_few_shot",
}

_ON_ONE = {("FineTune", "inaturalist2018", "vit_b16"): "vit_b16_lift_ep20"}
"""The same for one dataset."""

_COOP_EPOCHS = {1: "_ep50", 2: "_ep100", 4: "_ep100"}
"""By shots, in CoOp's few-shot study (arXiv:2109.01134, section 4.1); 200 epochs above."""


def published_config(
    protocol: str, trainer: str, dataset: str, backbone: str = "", shots: int = 16
) -> str:
    """Name of the file with a trainer's published config; of the embedded CLIP, with ours for it.

    Args:
        protocol: A key of ``PROTOCOLS``.
        trainer: Registry name; ``NPT_X`` has the config of X.
        dataset: Name of the dataset trained on.
        backbone: ``MODEL.BACKBONE.NAME``; "": the embedded CLIP for the drawn datasets, ViT-B/16
            for all others.
        shots: Images of the largest class.

    Raises:
        UserError: If none is known for that trainer.
    """
    drawn = dataset.startswith("embedded_")
    stem = _STEMS.get(backbone or (TINY if drawn else "ViT-B/16"), "vit_b16")
    base = trainer.replace("-", "_").removeprefix("NPT_")
    if base in ("CoOp", "ZeroshotCLIP") and stem == "tiny":
        return "tiny_ep50_ctxv1" if protocol == "base2new" else "tiny_ep50"
    if base == "ZeroshotCLIP":
        return stem
    if base == "CoOp":
        return stem + _coop(protocol, dataset, shots)
    if (base, dataset, stem) in _ON_ONE:
        return _ON_ONE[base, dataset, stem]
    if base == "GNM_PT" and dataset.startswith("cifar") and stem == "vit_b16":
        return "vit_b16_ep70_cifar"
    if base not in _OF_ANY_PROTOCOL:
        raise UserError(
            f"No published config of {trainer} is known: name one with --config (a file in "
            f"configs/trainers/{trainer}, or a path)."
        )
    of_trainer = _OF_ANY_PROTOCOL[base]
    if stem not in of_trainer:
        stem = "vit_b16"
    return _OF_ONE.get((base, protocol, stem), of_trainer[stem])


def _coop(protocol: str, dataset: str, shots: int) -> str:
    """The rest of the file name: epochs, and ``ctxv1`` where the context starts as words."""
    if protocol == "few_shot":
        return "_ep50" if dataset == "imagenet" else _COOP_EPOCHS.get(shots, "")
    if protocol in ("xd", "dg") or dataset == "imagenet":
        return "_ep50_ctxv1"
    return "_ep50" if shots == ALL_SHOTS else "_ctxv1"
