from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from npt_plugin.datasets.names import READERS, dataset_name, dataset_yaml, reader
from npt_plugin.errors import UserError

CONFIGS = Path(__file__).parents[2] / "configs" / "datasets"


def test_every_reader_has_its_registry_name() -> None:
    for name in READERS:
        assert reader(name).__name__ == name


PLAIN = [path for path in sorted(CONFIGS.glob("*.yaml")) if not re.search(r"_ir\d+$", path.stem)]
"""The others are one of these at another imbalance ratio."""


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_file_names_and_registry_names_are_one_system(path: Path) -> None:
    name = yaml.safe_load(path.read_text(encoding="utf-8"))["DATASET"]["NAME"]
    plain = path.stem.replace("_", "")
    for word in (path.stem, path.stem.upper(), name, name.lower(), plain, f" {name} "):
        assert dataset_name(word) == name
        assert dataset_yaml(word, CONFIGS) == path
    assert dataset_name(f"imbalanced_{path.stem}") == dataset_name(f"Imbalanced{name}")
    assert dataset_name(f"imbalanced-{path.stem}") == f"Imbalanced{name}"


def test_every_reader_has_a_yaml_file() -> None:
    assert {dataset_yaml(name, CONFIGS).stem for name in READERS} == {path.stem for path in PLAIN}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("OxfordPet", "OxfordPets"),
        ("imbalanced_oxford_pet", "OxfordPets"),
        ("eurosta", "EuroSAT"),
        ("dtdd", "dtd"),
        ("food", "Food101"),
        ("iNat2018", "INaturalist2018"),
    ],
)
def test_a_near_miss_gets_a_hint(word: str, meant: str) -> None:
    with pytest.raises(UserError, match=rf"Unknown dataset '{word}' \(did you mean '{meant}'\?\)"):
        dataset_name(word)


def test_a_wild_guess_gets_none_and_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Unknown dataset 'zzz'; `npt list datasets` shows"):
        dataset_name("zzz")
    with pytest.raises(UserError, match=r"no file for the dataset 'oxford_pet' \(did you mean"):
        dataset_yaml("oxford_pet", CONFIGS)
    (tmp_path / "my_birds.yaml").write_text("DATASET: {NAME: List}\n")
    assert dataset_yaml("MyBirds", tmp_path).name == "my_birds.yaml"


def test_a_hosts_names_can_be_chosen_from() -> None:
    assert dataset_name("my_birds", ["MyBirds"]) == "MyBirds"
    assert dataset_name("imbalanced_my_birds", ["MyBirds", "ImbalancedMyBirds"]) == (
        "ImbalancedMyBirds"
    )
    with pytest.raises(UserError, match="Unknown dataset 'dtd'"):
        dataset_name("dtd", ["MyBirds"])
