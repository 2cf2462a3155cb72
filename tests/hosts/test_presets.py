"""Our presets against the public checkouts' own scripts, yaml files, defaults and constants.

Every effective key of every run is compared; what differs stands in ``preset_differences.yaml``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import preset_runs
import pytest
from host_presets import Checkout, constant, package, with_loaded
from host_world import HOSTS, missing
from preset_runs import MAPLE, Run, our_configs, their_configs
from preset_table import differences, table

from npt_plugin.datasets import caltech101, eurosat
from npt_plugin.datasets.prompt_templates import TEMPLATES
from npt_plugin.errors import UserError
from npt_plugin.runs.config_tree import config_as_dict, flatten
from npt_plugin.runs.configs import configs_folder, trainer_config
from npt_plugin.runs.settings import Request, build_cfg

WHY = missing("CoOp", "MaPLe") or ("" if shutil.which("bash") else "there is no bash")
pytestmark = [pytest.mark.skipif(bool(WHY), reason=WHY), pytest.mark.slow]

CHECKOUTS = {
    name: Checkout(Path(HOSTS, name), Path(HOSTS, "Dassl.pytorch")) for name in ("CoOp", MAPLE)
}
METHODS = ("CoOp", "CoCoOp", "MaPLe", "IVLP", "VPT")
used_rows: set[int] = set()


@pytest.fixture(autouse=True)
def registered() -> None:
    from npt_plugin.registration import register_all

    register_all(base=True)


def unexplained(run: Run, fake: Path, configs: Path | None = None) -> list[str]:
    theirs = their_configs(CHECKOUTS[run.checkout], run, fake)
    ours = our_configs(run, fake, configs)
    if run.script == "coop/main.sh" and len(theirs) == len(ours) == 3:
        assert [cfg["SEED"] for cfg in theirs] == [cfg["SEED"] for cfg in ours] == [1, 2, 3]
    assert len(theirs) == len(ours) > 0, f"{run.name}: {len(theirs)} runs, ours {len(ours)}"
    pairs = zip(theirs, ours, strict=True)
    return [
        f"{run.name}: {line}" for a, b in pairs for line in differences(run.name, a, b, used_rows)
    ]


def _documented(checkout: str) -> Iterator[Run]:
    text = (CHECKOUTS[checkout].folder / "COOP.md").read_text(encoding="utf-8")
    runs = list(preset_runs.documented_coop_runs(text))
    assert len(runs) >= 20
    return iter(runs)


def _few_few_shot_runs(checkout: str) -> Iterator[Run]:
    """Its files are CoOp's (each is compared below): every fifth run will do."""
    return iter(list(preset_runs.few_shot_runs(checkout))[::5])


GROUPS = [
    ("CoOp", _documented),
    ("CoOp", preset_runs.few_shot_runs),
    ("CoOp", preset_runs.coop_tests_of_imagenet),
    ("CoOp", preset_runs.cocoop_runs),
    ("CoOp", preset_runs.coop_runs_of_cocoop),
    (MAPLE, _few_few_shot_runs),
    (MAPLE, preset_runs.coop_tests_of_imagenet),
    (MAPLE, preset_runs.cocoop_runs),
    (MAPLE, preset_runs.maple_runs),
]


@pytest.mark.parametrize(("checkout", "runs"), GROUPS, ids=lambda x: getattr(x, "__name__", x))
def test_every_key_of_every_scripted_run(checkout: str, runs: Any, tmp_path: Path) -> None:
    assert not [line for run in runs(checkout) for line in unexplained(run, tmp_path)]


def _files() -> list[Any]:
    folders = (CHECKOUTS[name].folder / "configs" / "trainers" for name in CHECKOUTS)
    return [
        pytest.param(path, id="/".join(path.relative_to(HOSTS).with_suffix("").parts))
        for folder in folders
        for method in METHODS
        for path in sorted((folder / method).glob("*.yaml"))
    ]


def _of_file(checkout: Checkout, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    method, dataset = path.parent.name, "caltech101"
    words = ["train.py", "--trainer", method, "--seed", "1", "--config-file", str(path)]
    words += ["--dataset-config-file", f"configs/datasets/{dataset}.yaml"]
    ours = build_cfg(Request(method, dataset, path.stem, seed=1))
    return checkout.config(words), with_loaded(flatten(config_as_dict(ours)), False, None)


@pytest.mark.parametrize("path", _files() if not WHY else [])
def test_every_key_of_every_config_file(path: Path) -> None:
    method = path.parent.name
    checkout = next(c for c in CHECKOUTS.values() if path.is_relative_to(c.folder))
    if f"{method}/{path.stem}" in {row["config"] for row in table()["configs"]}:
        with pytest.raises(UserError):  # the table says that we have none, and why
            trainer_config(path.stem, method, configs_folder())
        return
    theirs, ours = _of_file(checkout, path)
    assert not differences(f"{checkout.folder.name} {method}/{path.stem}", theirs, ours, used_rows)


@pytest.mark.parametrize("checkout", CHECKOUTS)
def test_every_dataset_file(checkout: str) -> None:
    folder = CHECKOUTS[checkout].folder / "configs" / "datasets"
    files = sorted(folder.glob("*.yaml"))
    assert len(files) == 15
    for path in files:
        theirs = CHECKOUTS[checkout].config(["train.py", "--dataset-config-file", str(path)])
        ours = flatten(config_as_dict(build_cfg(Request("CoOp", path.stem))))
        assert theirs["DATASET.NAME"] == ours["DATASET.NAME"]
        assert theirs["DATASET.SUBSAMPLE_CLASSES"] == ours["DATASET.SUBSAMPLE_CLASSES"] == "all"


def test_the_table_has_no_row_that_nothing_needs(tmp_path: Path) -> None:
    if len(used_rows) < len(table()["keys"]):  # not after the tests above: look again, at a part
        for checkout, runs in GROUPS:
            for run in list(runs(checkout))[::7]:
                unexplained(run, tmp_path)
    assert sorted(used_rows) == list(range(len(table()["keys"])))


@pytest.mark.parametrize("checkout", CHECKOUTS)
def test_templates(checkout: str) -> None:
    theirs = constant(CHECKOUTS[checkout].folder / "trainers" / "zsclip.py", "CUSTOM_TEMPLATES")
    assert theirs == TEMPLATES


@pytest.mark.parametrize("checkout", CHECKOUTS)
def test_names_of_classes_and_what_is_no_class(checkout: str) -> None:
    """Class order and split files: tests/hosts/test_dataset_parity.py, on trees of all fifteen."""
    folder = CHECKOUTS[checkout].folder / "datasets"
    assert constant(folder / "eurosat.py", "NEW_CNAMES") == eurosat.RENAMED
    assert constant(folder / "caltech101.py", "NEW_CNAMES") == caltech101.RENAMED
    assert constant(folder / "caltech101.py", "IGNORED") == list(caltech101.IGNORED)


@pytest.mark.parametrize("path", _files() if not WHY else [])
@pytest.mark.parametrize("train", [True, False], ids=["train", "test"])
def test_the_transforms_that_the_files_ask_for(path: Path, train: bool) -> None:
    """Built by Dassl's code and by ours of the same file; pixel parity: test_minidassl_parity."""
    from minidassl.data.transforms.build import build_transform
    from yacs.config import CfgNode

    cfg = build_cfg(Request(path.parent.name, "caltech101"))
    cfg = CfgNode(config_as_dict(cfg))
    cfg.INPUT.merge_from_other_cfg(CfgNode.load_cfg(path.read_text(encoding="utf-8")).INPUT)
    host = package(Path(HOSTS, "Dassl.pytorch", "dassl", "data", "transforms"), "host_transforms")
    theirs, ours = host.build_transform(cfg, is_train=train), build_transform(cfg, is_train=train)
    assert repr(theirs) == repr(ours)


PLANTED = [
    (MAPLE, "maple", "MaPLe/vit_b16_c2_ep5_batch4_2ctx", "LR: 0.0035", "LR: 0.0026", "OPTIM.LR"),
    (MAPLE, "maple", "MaPLe/vit_b16_c2_ep5_batch4_2ctx", "DEPTH: 9", "DEPTH: 12", "PROMPT_DEPTH"),
    (MAPLE, "maple", "MaPLe/vit_b16_c2_ep5_batch4_2ctx", "random_flip, ", "", "INPUT.TRANSFORMS"),
    (
        "CoOp",
        "cocoop",
        "CoCoOp/vit_b16_c4_ep10_batch1_ctxv1",
        "BATCH_SIZE: 1}",
        "BATCH_SIZE: 2}",
        "DATALOADER.TRAIN_X.BATCH_SIZE",
    ),
    (
        "CoOp",
        "cocoop",
        "CoCoOp/vit_b16_c4_ep10_batch1_ctxv1",
        "PREC: fp16",
        "PREC: fp32",
        "TRAINER.COCOOP.PREC",
    ),
    (
        "CoOp",
        "cocoop",
        "CoCoOp/vit_b16_c4_ep10_batch1_ctxv1",
        "MAX_EPOCH: 10",
        "MAX_EPOCH: 11",
        "OPTIM.MAX_EPOCH",
    ),
]


@pytest.mark.parametrize(("checkout", "kind", "config", "old", "new", "key"), PLANTED)
def test_a_planted_wrong_value_is_found(
    checkout: str, kind: str, config: str, old: str, new: str, key: str, tmp_path: Path
) -> None:
    configs = tmp_path / "configs"
    shutil.copytree(configs_folder(), configs)
    file = configs / "trainers" / f"{config}.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    make = preset_runs.maple_runs if kind == "maple" else preset_runs.cocoop_runs
    run = next(make(checkout))
    assert not unexplained(run, tmp_path)
    (line,) = unexplained(run, tmp_path, configs)
    assert key in line and line.startswith(run.name)


def test_a_value_that_the_scripts_give_is_found(tmp_path: Path) -> None:
    run = next(preset_runs.few_shot_runs("CoOp"))
    words = (*run.words[:4], "2", run.words[5])
    wrong = Run(run.checkout, run.script, words, run.ours, run.calls)
    lines = unexplained(wrong, tmp_path)
    assert len(lines) == 3 and all("DATASET.NUM_SHOTS: 2 -> 1" in line for line in lines)
