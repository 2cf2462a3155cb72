"""From what is asked for to one checked config."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.settings import Request, build_cfg


def test_config_files_by_name_come_from_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    register_all(base=True)
    request = Request(trainer="CoOp", dataset_config_file="OxfordPets", config_file="rn50_ep100")
    cfg = build_cfg(request)
    assert cfg.DATASET.NAME == "OxfordPets"
    assert (cfg.MODEL.BACKBONE.NAME, cfg.OPTIM.MAX_EPOCH) == ("RN50", 100)
    found = request.located()
    assert found.dataset_config_file == str(configs_folder() / "datasets" / "oxford_pets.yaml")
    assert found.config_file == str(configs_folder() / "trainers" / "CoOp" / "rn50_ep100.yaml")
    assert found.located() == found


def test_nothing_is_looked_up_where_no_file_is_given():
    assert Request(trainer="CoOp").located() == Request(trainer="CoOp")


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 'rn50_ep100'"):
        build_cfg(Request(trainer="CoOp", config_file="rn50ep100"))
