"""Where the yaml files are found."""

from pathlib import Path

import pytest

from npt_plugin.errors import UserError
from npt_plugin.runs import configs
from npt_plugin.runs.configs import configs_folder, dataset_config, trainer_config

ROOT = Path(__file__).resolve().parents[2]


def test_a_clone_uses_its_own_whatever_lies_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "configs" / "datasets").mkdir(parents=True)
    (tmp_path / "configs" / "trainers").mkdir()
    monkeypatch.chdir(tmp_path)
    assert configs_folder() == ROOT / "configs"
    assert configs_folder("configs") == Path("configs")  # asked for


def test_an_installed_package_uses_the_files_inside_it(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "npt_plugin"
    for place in ("configs/datasets", "configs/trainers", "../configs/datasets"):
        (package / place).mkdir(parents=True)
    monkeypatch.setattr(configs, "__file__", str(package / "runs" / "configs.py"))
    assert configs_folder() == package / "configs"


def test_a_folder_without_configs_is_refused(tmp_path, monkeypatch):
    (tmp_path / "datasets").mkdir()
    with pytest.raises(UserError, match="has no trainers"):
        configs_folder(tmp_path)
    monkeypatch.setattr(configs, "__file__", str(tmp_path / "npt_plugin" / "runs" / "configs.py"))
    with pytest.raises(UserError, match="installation is incomplete"):
        configs_folder()


def test_files_by_name_and_by_path(tmp_path):
    folder = configs_folder()
    assert dataset_config("dtd", folder) == folder / "datasets" / "dtd.yaml"
    own = tmp_path / "dtd.yaml"
    own.write_text("")
    assert dataset_config(str(own), folder) == own
    assert dataset_config("OxfordPets", folder) == folder / "datasets" / "oxford_pets.yaml"
    path = trainer_config("tiny_ep50", "CoOp", folder)
    assert path == folder / "trainers" / "CoOp" / "tiny_ep50.yaml"


def test_a_name_means_no_file_of_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "dtd").write_text("DATASET:\n  NAME: Other\n")
    monkeypatch.chdir(tmp_path)
    assert dataset_config("dtd", configs_folder()) == configs_folder() / "datasets" / "dtd.yaml"


def test_mistakes_name_the_nearest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = configs_folder()
    with pytest.raises(UserError, match="did you mean 'oxford_pets'"):
        dataset_config("oxford_pts", folder)
    with pytest.raises(UserError, match="'vit_b61' of trainer 'CoOp'.*did you mean 'vit_b16'"):
        trainer_config("vit_b61", "CoOp", folder)
    with pytest.raises(UserError, match="does not exist. The name alone, dtd, means"):
        dataset_config("configs/datasets/dtd.yaml", folder)
    with pytest.raises(UserError, match="my.yaml does not exist.$"):
        dataset_config("my.yaml", folder)
