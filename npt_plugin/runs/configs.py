"""Where the yaml files of datasets and methods lie: in a clone, and in an installed package."""

from __future__ import annotations

from pathlib import Path

from npt_plugin.datasets.names import dataset_yaml
from npt_plugin.errors import UserError, nearest_hint

DATASETS, TRAINERS = "datasets", "trainers"
"""Folders of the yaml files: ``datasets/<name>.yaml`` and ``trainers/<trainer>/<name>.yaml``."""


def configs_folder(asked: str | Path = "") -> Path:
    """The folder with the yaml files.

    Args:
        asked: A folder of the user's own; empty: the files that came with this package. A folder
            ``configs`` in the working folder is not looked at unless it is asked for.

    Returns:
        ``npt_plugin/configs`` of an installed package, ``configs`` at the top of a clone (also
        where the clone is installed with ``pip install -e``), or ``asked``.

    Raises:
        UserError: If the folder is absent or lacks ``datasets`` or ``trainers``.
    """
    package = Path(__file__).resolve().parents[1]
    shipped = package / "configs"
    if not shipped.is_dir():  # a clone has them beside the package
        shipped = package.parent / "configs"
    folder = Path(asked) if asked else shipped
    missing = [name for name in (DATASETS, TRAINERS) if not (folder / name).is_dir()]
    if missing:
        raise UserError(
            f"{folder} is no folder of configs: it has no {' and no '.join(missing)}."
            + ("" if asked else " The installation is incomplete; install npt-plugin again.")
        )
    return folder


def is_path(word: str) -> bool:
    """Whether a word means a file, not a name: it has a folder, or ends in ``.yaml``."""
    return Path(word).suffix in (".yaml", ".yml") or Path(word).name != word


def dataset_config(word: str, configs: Path) -> Path:
    """The yaml file of a dataset.

    Args:
        word: A path, or any spelling of a dataset's name that has a file in ``datasets``.
        configs: What :func:`configs_folder` gave.

    Raises:
        UserError: If there is no such file.
    """
    folder = configs / DATASETS
    return _existing(word, folder) if is_path(word) else dataset_yaml(word, folder)


def trainer_config(word: str, trainer: str, configs: Path) -> Path:
    """The yaml file of a method.

    Args:
        word: A path, or the name of a file in ``trainers/<trainer>``, without ``.yaml``. An
            ``NPT_X`` without a folder of its own has the files of X.
        trainer: Registry name.
        configs: What :func:`configs_folder` gave.

    Raises:
        UserError: If there is no such file.
    """
    folder = configs / TRAINERS / trainer
    base = folder.with_name(trainer.replace("-", "_").removeprefix("NPT_"))
    if not folder.is_dir():
        folder = base
    if is_path(word):
        path = Path(word)
        inherited = base / path.name  # version 0.1 had a copy for each NPT_ trainer
        if not path.is_file() and path.parent.name == trainer and inherited.is_file():
            return inherited
        return _existing(word, folder)
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if word in names:
        return folder / f"{word}.yaml"
    hint = nearest_hint(word, names)
    raise UserError(f"There is no config {word!r} of trainer {trainer!r} in {folder}{hint}.")


def _existing(word: str, folder: Path) -> Path:
    """The file of that path; if it is absent but we ship one of its name, the error says so."""
    if Path(word).is_file():
        return Path(word)
    shipped = folder / f"{Path(word).stem}.yaml"
    hint = f" The name alone, {shipped.stem}, means {shipped}." if shipped.is_file() else ""
    raise UserError(f"Config file {word} does not exist.{hint}")
