"""Selecting the images of one run: shots, then class half, then imbalance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from npt_plugin.datasets.class_halves import keep_classes, labels_of
from npt_plugin.datasets.fewshot import few_shot
from npt_plugin.datasets.imbalance import ImbalanceSpec, make_imbalanced
from npt_plugin.datasets.source import Record, Source
from npt_plugin.errors import UserError


@dataclass(frozen=True)
class SelectionSpec:
    """What a run asks for.

    Args:
        shots: Images per class; -1 takes everything.
        seed: Run seed; negative means unseeded.
        subset: All, base or new classes.
        imbalance: Ratio, profile and order.

    Raises:
        UserError: Shots of 0 or below -1.
    """

    shots: int = -1
    seed: int = -1
    subset: str = "all"
    imbalance: ImbalanceSpec = field(default_factory=ImbalanceSpec)

    def __post_init__(self) -> None:
        """Refuse 0 and below -1, which Dassl would take for "all images"."""
        if self.shots < 1 and self.shots != -1:
            raise UserError(
                f"DATASET.NUM_SHOTS is {self.shots}; give 1 or more images per class, or -1 for "
                "all of them."
            )

    @classmethod
    def from_cfg(cls, cfg: Any) -> SelectionSpec:
        """Read SEED and DATASET.{NUM_SHOTS, SUBSAMPLE_CLASSES, IMBALANCE}."""
        return cls(
            shots=int(cfg.DATASET.NUM_SHOTS),
            seed=int(cfg.SEED),
            subset=cfg.DATASET.get("SUBSAMPLE_CLASSES", "all"),
            imbalance=ImbalanceSpec.from_cfg(cfg),
        )

    def as_dict(self) -> dict[str, Any]:
        """Flat and JSON-ready: shots, seed, subset, ratio, profile, order."""
        flat = asdict(self)
        flat.update(flat.pop("imbalance"))
        return flat


@dataclass
class Selection:
    """The records of one run.

    Args:
        train, val, test: Chosen records.
        classnames: One entry per label, whatever is left in train.
        every_classname: Names of all classes of the dataset, those of another half included.
        balanced: How many training images there were before the imbalance took some away.
        remarks: Lines worth printing at the start of the run.
    """

    train: list[Record]
    val: list[Record]
    test: list[Record]
    classnames: list[str]
    balanced: int
    remarks: list[str] = field(default_factory=list)
    every_classname: list[str] = field(default_factory=list)


def select(source: Source, spec: SelectionSpec) -> Selection:
    """Few-shot choice over all classes, then the class half, then imbalance on what is left.

    Args:
        source: All records of a dataset.
        spec: What the run asks for.

    Returns:
        Records with labels 0..K'-1, K' the number of classes in the subset. A test-only source
        (ImageNetV2, -A, -R, -Sketch) is returned whole, as in the CoOp family.
    """
    if source.test_only:
        names, balanced = list(source.classnames), len(source.train)
        return Selection(source.train, source.val, source.test, names, balanced)
    shot_val = [] if source.val_is_test else source.val
    train, val = few_shot(source.train, shot_val, spec.shots, spec.seed)
    labels = labels_of(spec.subset, len(source.classnames))
    frequencies = Counter(record.label for record in source.train)
    even = keep_classes(train, labels)
    train = make_imbalanced(
        even,
        spec.imbalance,
        num_classes=len(labels),
        n_max=spec.shots,
        seed=spec.seed,
        frequencies=[frequencies[label] for label in labels],
    )
    test = keep_classes(source.test, labels)
    val = test if source.val_is_test else keep_classes(val, labels)
    names = [source.classnames[label] for label in labels]
    remarks = _small_classes(spec.shots, frequencies, labels)
    return Selection(train, val, test, names, len(even), remarks, list(source.classnames))


def _small_classes(shots: int, counts: Mapping[int, int], labels: Sequence[int]) -> list[str]:
    """One line if some classes have fewer training images than asked for."""
    small = [counts[label] for label in labels if counts[label] < shots]
    if not small:
        return []
    sizes = f"{min(small)} to {max(small)}" if min(small) < max(small) else f"{small[0]} each"
    return [
        f"DATASET.NUM_SHOTS is {shots}, but {len(small)} of {len(labels)} classes have fewer "
        f"training images ({sizes}): they keep all they have."
    ]
