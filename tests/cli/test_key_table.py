"""The table of config keys, and the page made of it."""

from pathlib import Path

from npt_plugin.cli import main as cli
from npt_plugin.cli.key_table import key_rows, keys_page
from npt_plugin.config import DASSL_KEYS, KEYS, extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.runs.config_tree import config_as_dict, flatten

PAGE = Path(__file__).resolve().parents[2] / "docs" / "keys.md"


def test_the_page_is_what_the_table_makes(capsys):
    assert PAGE.read_text("utf-8") == keys_page(), "npt list keys --markdown > docs/keys.md"
    assert cli.main(["list", "keys", "--markdown"]) == 0
    assert capsys.readouterr().out == keys_page()


def test_every_key_is_there_once_with_its_default():
    rows = {name: (default, meaning) for name, default, meaning in key_rows()}
    assert len(rows) == len(key_rows()) == len(KEYS) + len(DASSL_KEYS)
    usual = flatten(config_as_dict(extend_cfg(get_cfg_default())))
    assert rows["TRAINER.COOP.N_CTX"] == ("16", "context vectors")
    assert rows["OPTIM.LR"] == (str(usual["OPTIM.LR"]), "learning rate")
    assert rows["OPTIM.GNM.SIGMA"][0] == "0.333333" and rows["TRAINER.COOP.CTX_INIT"][0] == '""'
    assert all(meaning for _, meaning in rows.values())


def test_notes_follow_the_rows():
    lines = {line.split("`")[1]: line for line in keys_page().splitlines() if line[:3] == "| `"}
    assert "host" in lines["TRAIN.STEPS"] and "at least -1" in lines["TRAIN.STEPS"]
    assert "same numbers" in lines["DATASET.ROOT"] and "path" in lines["DATASET.ROOT"]
    assert lines["TRAINER.COOP.N_CTX"].rstrip("| ").endswith("context vectors")
