"""Where a run stands in the folders of a protocol, read from its path and made again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_SETTING = re.compile(
    r"shots_(?P<shots>-?\d+)/ratio_(?P<ratio>[\d.e+-]+)/(?P<trainer>[^/]+)/(?P<config>[^/]+)/"
    r"seed(?P<seed>\d+)"
)
_HEADS = {
    "base2new": re.compile(r"(?P<part>train_base|test_\w+)/(?P<dataset>[^/]+)"),
    "few_shot": re.compile(r"(?P<dataset>[^/]+)"),
    "xd": re.compile(r"(?P<part>train|test_from_(?P<source>[^/]+))/(?P<dataset>[^/]+)"),
    "longtail": re.compile(r"(?P<dataset>[^/]+)"),
}


@dataclass(frozen=True)
class Place:
    """What the path of a run says.

    Attributes:
        protocol: Folder below the top one.
        part: Which run of the protocol, for example ``train_base``; empty where there is one.
        dataset: Name of the dataset's config file.
        shots: n_max, images of the largest class.
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
        setting = (f"shots_{self.shots}", f"ratio_{self.ratio:g}", self.trainer, self.config)
        head = [part for part in (self.protocol, self.part, self.dataset) if part]
        return Path(output).joinpath(*head, *setting, f"seed{self.seed}")


def parse(path: Path) -> Place | None:
    """What a path says, in any spelling of its numbers.

    Args:
        path: A run's folder, relative to the top folder of all runs.

    Returns:
        None for a path in no protocol's layout.
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
        int(said["shots"]),
        ratio,
        said["trainer"],
        said["config"],
        int(said["seed"]),
    )
