"""From command line and yaml files to one frozen, checked config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import yaml
from yacs.config import CfgNode

from npt_plugin.config import DASSL_KEYS, KEYS, extend_cfg
from npt_plugin.datasets.selection import SelectionSpec
from npt_plugin.engine.framework import DATASET_REGISTRY, TRAINER_REGISTRY, get_cfg_default
from npt_plugin.errors import UserError, nearest_hint
from npt_plugin.runs.config_tree import config_as_dict, flatten, parsed_yaml
from npt_plugin.runs.configs import configs_folder, dataset_config, trainer_config
from npt_plugin.runs.curves import kinds_of
from npt_plugin.runs.image_settings import ImageSettings
from npt_plugin.runs.old_keys import REMOVED, RENAMED
from npt_plugin.system.options import in_range

_FLAGS = (  # flag, config key
    ("root", "DATASET.ROOT"),
    ("output_dir", "OUTPUT_DIR"),
    ("resume", "RESUME"),
    ("seed", "SEED"),
    ("source_domains", "DATASET.SOURCE_DOMAINS"),
    ("target_domains", "DATASET.TARGET_DOMAINS"),
    ("transforms", "INPUT.TRANSFORMS"),
    ("trainer", "TRAINER.NAME"),
    ("backbone", "MODEL.BACKBONE.NAME"),
    ("head", "MODEL.HEAD.NAME"),
    ("log", "TRAIN.LOG"),
)


@dataclass(frozen=True)
class Request:
    """What a run is asked for: the flags of CoOp's ``train.py``, under the same names.

    Attributes:
        trainer: Registry name; "": the config files'.
        dataset_config_file, config_file: yaml of the dataset and of the method.
        opts: Config overrides, ``(KEY, value, KEY, value, ...)``.
        root: Folder that holds the datasets.
        output_dir: Folder for log, prompts and results; "": nothing is written.
        resume: Folder of an interrupted run to go on with.
        seed: 0 or more fixes every random choice; -1: unseeded; None: the config files'.
        source_domains, target_domains, transforms, backbone, head: As in Dassl.
        log: ``TRAIN.LOG``; "": the config files'.
        eval_only: Test what the run in ``model_dir`` has learned, at ``load_epoch`` (None: the
            best model).
        no_train: Build everything, do not train.
    """

    trainer: str = ""
    dataset_config_file: str = ""
    config_file: str = ""
    opts: Sequence[Any] = field(default=())
    root: str = ""
    output_dir: str = ""
    resume: str = ""
    seed: int | None = None
    source_domains: Sequence[str] | None = None
    target_domains: Sequence[str] | None = None
    transforms: Sequence[str] | None = None
    backbone: str = ""
    head: str = ""
    log: str = ""
    eval_only: bool = False
    model_dir: str = ""
    load_epoch: int | None = None
    no_train: bool = False

    def located(self) -> Request:
        """The same with the paths of config files that are given by name.

        Raises:
            UserError: If there is no such file (:mod:`npt_plugin.runs.configs`).
        """
        dataset, method = self.dataset_config_file, self.config_file
        if dataset:
            dataset = str(dataset_config(dataset, configs_folder()))
        if method:
            method = str(trainer_config(method, self.trainer, configs_folder()))
        return replace(self, dataset_config_file=dataset, config_file=method)


def build_cfg(request: Request) -> CfgNode:
    """Merge, in this order: defaults, dataset file, method file, flags, trailing options.

    Files may be given by name alone, see :meth:`Request.located`. Size and normalisation of images
    follow the model, see :class:`ImageSettings`.

    Raises:
        UserError: On an unknown or ill-typed key, an unknown trainer or dataset (the nearest valid
            name is given), or images that the model does not take.
    """
    cfg = extend_cfg(get_cfg_default())
    images = ImageSettings(cfg)
    request = request.located()
    for path in (request.dataset_config_file, request.config_file):
        if path:
            merge_file(cfg, path)
            images.merged(read_file(path), f" in {path}")
    for flag, key in _FLAGS:
        value = getattr(request, flag)
        if value is not None and value != "":  # seed 0 is a seed
            merge_options(cfg, [key, value])
    images.merged(())
    merge_options(cfg, request.opts)
    images.merged([str(key) for key in _pairs(request.opts)[::2]])
    images.follow_model()
    check_names(cfg)
    check_values(cfg)
    cfg.freeze()
    return cfg


def check_values(cfg: CfgNode) -> None:
    """Refuse numbers below what their key's row allows, and choices of images that cannot be.

    Raises:
        UserError: For the first of them.
    """
    for key in (*KEYS, *DASSL_KEYS):
        if key.least is not None:
            in_range(key.name, attrgetter(key.name)(cfg), key.least)
    kinds_of(cfg.TRAIN.LOG)
    SelectionSpec.from_cfg(cfg)  # shots, class half, imbalance


def given_keys(request: Request) -> list[str]:
    """Names of the config keys that files and options of a request set, each once.

    Raises:
        UserError: If a file cannot be read.
    """
    request = request.located()
    files = [path for path in (request.dataset_config_file, request.config_file) if path]
    keys = [key for path in files for key in read_file(path)]
    keys += [str(key) for key in _pairs(request.opts)[::2]]
    return list(dict.fromkeys(keys))


def merge_file(cfg: CfgNode, path: str | Path) -> None:
    """Merge a yaml file into ``cfg``.

    Raises:
        UserError: If the file is absent, not yaml, or has an unknown or ill-typed key.
    """
    for key, value in read_file(path).items():
        _merge_one(cfg, key, value, f" in {path}")


def read_file(path: str | Path) -> dict[str, Any]:
    """The keys and values of a yaml file, ``{"NODE.KEY": value}``.

    Raises:
        UserError: If the file is absent, or not yaml of nodes and keys.
    """
    try:
        loaded = parsed_yaml(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"Config file {path} does not exist.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"Config file {path} cannot be read ({error}).") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UserError(f"Config file {path} must hold KEY: value pairs.")
    return flatten(loaded)


def merge_options(cfg: CfgNode, options: Sequence[Any]) -> None:
    """Merge ``[KEY, value, KEY, value, ...]`` into ``cfg``.

    Raises:
        UserError: On an odd number of words, or an unknown or ill-typed key.
    """
    options = _pairs(options)
    for key, value in zip(options[::2], options[1::2], strict=True):
        _merge_one(cfg, str(key), value, "")


def _pairs(options: Sequence[Any]) -> Sequence[Any]:
    if options and options[0] == "--":
        options = options[1:]
    if len(options) % 2:
        raise UserError(
            f"Options come in pairs KEY value, but {options[-1]!r} at the end has no partner."
        )
    return options


def _merge_one(cfg: CfgNode, key: str, value: Any, where: str) -> None:
    known = flatten(config_as_dict(cfg))
    if key in RENAMED:
        print(f"{key}{where} is called {RENAMED[key]} now: take the new name.")
        key = RENAMED[key]
    if key in REMOVED:
        raise UserError(f"Config key {key!r}{where} was removed: {REMOVED[key]}; leave it out.")
    if key not in known:
        raise UserError(f"Unknown config key {key!r}{where}{nearest_hint(key, known)}.")
    old = known[key]
    if isinstance(value, str):
        value = _parse(value, old)
    if isinstance(old, float) and type(value) is int:
        value = float(value)
    if key.endswith(".CTX_INIT") and isinstance(old, str) and isinstance(value, bool):
        value = "true" if value else ""  # KgCoOp's and ProGrad's files: the words they have
    try:
        if value is None and old is not None:  # yacs would take it
            raise TypeError
        cfg.merge_from_list([key, value])
    except (ValueError, AssertionError, KeyError, TypeError):
        raise UserError(
            f"Config key {key}{where} is {value!r}; it must be of type {type(old).__name__}, "
            f"for example {old!r}."
        ) from None


def _parse(text: str, old: Any) -> Any:
    """Read a command-line word as yaml would, unless text is what is wanted."""
    if isinstance(old, str):
        return text
    try:
        return parsed_yaml(text) if not text.startswith("(") else tuple(_numbers(text))
    except (yaml.YAMLError, ValueError):
        return text


def _numbers(text: str) -> list[Any]:
    return [parsed_yaml(part) for part in text.strip("()").split(",") if part.strip()]


def check_names(cfg: CfgNode) -> None:
    """Refuse an unknown trainer or dataset before anything is built.

    Raises:
        UserError: With the nearest valid name.
    """
    for what, key, value, registry in (
        ("trainer", "--trainer", cfg.TRAINER.NAME, TRAINER_REGISTRY),
        ("dataset", "DATASET.NAME", cfg.DATASET.NAME, DATASET_REGISTRY),
    ):
        names = registry.registered_names()
        if value not in names:
            raise UserError(
                f"Unknown {what} {value!r} ({key}){nearest_hint(value, names)}; known: "
                f"{', '.join(sorted(names))}."
            )
