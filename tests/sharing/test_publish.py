"""A published folder: what is in it, and what must not be."""

import json
import shutil

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.errors import UserError
from npt_plugin.runs.record import read_record, write_record
from npt_plugin.sharing.publish import publish


def test_nothing_of_this_machine_travels(run, tmp_path, pets_root, small_clip_file):
    publish(run, tmp_path / "shared", "mit")
    for path in (tmp_path / "shared").iterdir():
        text = path.read_bytes().decode("utf-8", "ignore")
        for place in (str(tmp_path), str(pets_root), str(small_clip_file.parent)):
            assert place not in text, path.name
    record = read_record(tmp_path / "shared" / "results.json")
    assert record.config["MODEL"]["CLIP_WEIGHTS"] == small_clip_file.name
    assert record.metrics == read_record(run / "results.json").metrics


def test_the_card_says_what_it_is(run, tmp_path):
    publish(run, tmp_path / "shared", "cc-by-4.0")
    card = (tmp_path / "shared" / "README.md").read_text()
    record = read_record(run / "results.json")
    assert card.startswith("---\nlicense: cc-by-4.0\n")
    for said in (
        "# NPT_CoOp on OxfordPets, base classes",
        "imbalanced, tau = 0.5",
        f"| {record.metrics['accuracy']:.1f} |",
        "npt pull FOLDER-OR-hf:ORG/NAME",
        "arXiv:2109.01134",
    ):
        assert said in card, said


def test_tests_of_the_same_run_are_on_the_card(run, tmp_path):
    """As a base-to-new job lays them out; another run's test is not."""
    output = tmp_path / "out" / "base2new"
    below = "pets/shots_4/ratio_0.5/NPT_CoOp/small/seed0"
    trained = output / "train_base" / below
    shutil.copytree(run, trained)
    record = json.loads((run / "results.json").read_text())
    tested = {**record, "classes": "new", "model_dir": str(trained)}
    tested["metrics"] = {**record["metrics"], "accuracy": 12.5}
    for folder, changed in (("test_new", {}), ("test_all", {"model_dir": "elsewhere"})):
        place = output / folder / below
        place.mkdir(parents=True)
        (place / "results.json").write_text(json.dumps({**tested, **changed, "classes": folder}))
    publish(trained, tmp_path / "shared", "mit")
    card = (tmp_path / "shared" / "README.md").read_text()
    assert "| OxfordPets, test_new classes | 12.5 |" in card and "test_all" not in card


def test_a_folder_of_somebody_else_is_not_touched(run, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "README.md").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        publish(run, theirs, "mit")
    assert [p.name for p in theirs.iterdir()] == ["README.md"]
    publish(run, tmp_path / "ours", "mit")
    publish(run, tmp_path / "ours", "mit")  # again


def test_what_would_not_travel_is_refused(run, tmp_path, first_stages):
    record = read_record(run / "results.json")
    shutil.rmtree(run / "prompt_learner")
    with pytest.raises(UserError, match="no checkpoint"):
        publish(run, tmp_path / "shared", "mit")
    write_record(run, type(record)(**{**record.__dict__, "status": "failed", "metrics": None}))
    with pytest.raises(UserError, match="failed, not completed"):
        publish(run, tmp_path / "shared", "mit")
    two = first_stages("TwoStage", "TRAINER.TWO_STAGE.RUN", str(first_stages("CoOp")))
    with pytest.raises(UserError, match=r"TRAINER\.TWO_STAGE\.RUN"):
        publish(two, tmp_path / "shared", "mit")
    assert not (tmp_path / "shared").exists()


def test_the_command_says_how_it_is_used(run, tmp_path, capsys):
    assert cli.main(["publish", str(run), str(tmp_path / "shared")]) == 0
    assert "npt pull" in capsys.readouterr().out
    assert cli.main(["publish", str(tmp_path / "no"), str(tmp_path / "x")]) == 2
