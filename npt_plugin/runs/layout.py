"""Where runs lie below an output folder, written and read in this file alone.

A run of a protocol is in ``<output>/<protocol>/[<part>/]<dataset>/shots_<n>/ratio_<tau>/<trainer>/
<config>/seed<seed>``. Numbers have one spelling, the shortest (``ratio_1``); folders of version 0.1
may have others (``ratio_1.0``) and are found all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

RESULTS = "results.json"
"""A run's record, in its folder."""

CONFIG = "config.yaml"
"""A run's whole config, in its folder."""

LAST_EPOCH = "last-epoch.pth.tar"
"""Beside the checkpoints of a run that averages its epochs: what the last one had learned."""

ALL_SHOTS = -1
"""Dassl's number of shots for all images there are."""

_HEADS = {
    "base2new": re.compile(r"(?P<part>train_base|test_\w+)/(?P<dataset>[^/]+)"),
    "few_shot": re.compile(r"(?P<dataset>[^/]+)"),
    "xd": re.compile(r"(?P<part>train|test_from_(?P<source>[^/]+))/(?P<dataset>[^/]+)"),
    "long_tail": re.compile(r"(?P<dataset>[^/]+)"),
}
_SETTING = re.compile(
    r"shots_(?P<shots>all|-?\d+)/ratio_(?P<ratio>[\d.e+-]+)/(?P<trainer>[^/]+)/(?P<config>[^/]+)/"
    r"seed(?P<seed>-?\d+)"
)


@dataclass(frozen=True, order=True)
class Place:
    """What the path of a run says.

    Attributes:
        protocol: Folder below the top one.
        part: Which run of the protocol, for example ``train_base``; empty where there is one.
        dataset: Name of the dataset's config file.
        shots: n_max, images of the largest class; ``ALL_SHOTS``: all.
        ratio: tau = n_min / n_max.
        trainer: Registry name.
        config: Name of the trainer's config file.
        seed: The seed.
    """

    protocol: str
    part: str
    dataset: str
    shots: int
    ratio: float
    trainer: str
    config: str
    seed: int

    @property
    def source(self) -> str:
        """The dataset a transfer was trained on."""
        return self.part.removeprefix("test_from_") if "_from_" in self.part else self.dataset

    def folder(self, output: str | Path) -> Path:
        """The run's folder below ``output``, in today's spelling."""
        return self._above_ratio(output) / f"ratio_{self.ratio:g}" / self._below_ratio

    def on_disk(self, output: str | Path) -> Path:
        """The same, or the folder that has it in the spelling of version 0.1, if only that does."""
        own = self.folder(output)
        if not own.exists():
            for other in sorted(self._above_ratio(output).glob("ratio_*")):
                found = other / self._below_ratio
                if found.exists() and parse(found.relative_to(output)) == self:
                    return found
        return own

    def _above_ratio(self, output: str | Path) -> Path:
        shots = "all" if self.shots == ALL_SHOTS else self.shots
        return Path(output, self.protocol, self.part, self.dataset, f"shots_{shots}")

    @property
    def _below_ratio(self) -> Path:
        return Path(self.trainer, self.config, f"seed{self.seed}")


def parse(path: Path) -> Place | None:
    """What a path says, in any spelling of its numbers.

    Args:
        path: A run's folder, relative to the top folder of all runs.

    Returns:
        None for a path in no protocol's layout.

    Example:
        >>> place = parse(Path("few_shot/dtd/shots_16/ratio_1.0/CoOp/vit_b16/seed1"))
        >>> place.ratio, place.folder("out").as_posix()
        (1.0, 'out/few_shot/dtd/shots_16/ratio_1/CoOp/vit_b16/seed1')
    """
    protocol, _, rest = path.as_posix().partition("/")
    if protocol not in _HEADS:
        return None
    found = re.fullmatch(f"{_HEADS[protocol].pattern}/{_SETTING.pattern}", rest)
    if found is None:
        return None
    said = found.groupdict(default="")
    try:
        ratio = float(said["ratio"])
    except ValueError:
        return None
    return Place(
        protocol,
        said.get("part", ""),
        said["dataset"],
        ALL_SHOTS if said["shots"] == "all" else int(said["shots"]),
        ratio,
        said["trainer"],
        said["config"],
        int(said["seed"]),
    )


def checkpoint_file(folder: str | Path, model: str, epoch: int | None) -> Path:
    """The file in which Dassl keeps what a run has learned.

    Args:
        folder: The run's folder.
        model: Name the trainer registered its model under, ``prompt_learner`` for example.
        epoch: Epochs trained; None: the best by validation.
    """
    name = "model-best.pth.tar" if epoch is None else f"model.pth.tar-{epoch}"
    return Path(folder) / model / name
