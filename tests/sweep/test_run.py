"""One run in this process: what is refused before anything is written, and what follows."""

import sys

import pytest
import yaml
from trainer_checks import assert_same, learned

from npt_plugin.backbone.files import Kind
from npt_plugin.errors import UserError
from npt_plugin.runs.config_tree import config_as_dict
from npt_plugin.runs.layout import CONFIG, RESULTS
from npt_plugin.runs.record import read_record
from npt_plugin.runs.settings import Request
from npt_plugin.sweep.run import perform, perform_cfg


@pytest.fixture
def request_of(pets_root, tree, tmp_path, monkeypatch):
    """``request_of("run", "KEY", "value", seed=1)``: of CoOp on the miniature pets."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # Dassl's logger replaces it

    def make(folder, *options, **more):
        return Request(
            trainer="CoOp",
            dataset_config_file=str(tree / "datasets" / "pets.yaml"),
            config_file=str(tree / "trainers" / "CoOp" / "small.yaml"),
            root=str(pets_root),
            output_dir=str(tmp_path / folder),
            opts=["DATASET.NUM_SHOTS", "2", "TRAINER.COOP.N_CTX", "2", *options],
            **more,
        )

    return make


def everything(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_run_trains_and_leaves_its_config_and_record(request_of, tmp_path):
    trainer = perform(request_of("run", seed=3))
    record = read_record(tmp_path / "run" / RESULTS)
    assert (record.status, record.seed, record.epochs) == ("completed", 3, 2)
    assert yaml.safe_load((tmp_path / "run" / CONFIG).read_text()) == config_as_dict(trainer.cfg)

    before = everything(tmp_path / "run")
    with pytest.raises(UserError, match=r"OPTIM\.LR: 0\.1 -> 0\.2"):
        perform(request_of("run", "OPTIM.LR", "0.2", seed=3))
    assert everything(tmp_path / "run") == before

    words = {"eval_only": True, "model_dir": str(tmp_path / "run"), "load_epoch": 2}
    tested = perform(request_of("tested", seed=4, **words))
    assert_same(learned(tested), learned(trainer))
    record = read_record(tmp_path / "tested" / RESULTS)
    assert (record.status, record.steps, record.tested_epoch) == ("completed", None, 2)

    before = everything(tmp_path / "tested")
    with pytest.raises(UserError, match="SUBSAMPLE_CLASSES: all -> new"):
        perform(request_of("tested", "DATASET.SUBSAMPLE_CLASSES", "new", seed=4, **words))
    assert everything(tmp_path / "tested") == before


def test_another_backbone_is_another_run(request_of, tmp_path, small_clip_file):
    """Its name stands in no path: what keeps two apart in one folder is the record's config."""
    perform(request_of("run"))
    record = read_record(tmp_path / "run" / RESULTS)
    assert record.backbone == str(small_clip_file)
    assert record.backbone_file == f"{small_clip_file.name}, {Kind.OPENAI.value}"
    before, other = everything(tmp_path / "run"), tmp_path / "other.pt"
    other.write_bytes(small_clip_file.read_bytes())
    for key, value in (("MODEL.CLIP_WEIGHTS", str(other)), ("MODEL.BACKBONE.NAME", "Tiny")):
        with pytest.raises(UserError, match=rf"another config \({key}: .* -> {value}"):
            perform(request_of("run", key, value))
    assert everything(tmp_path / "run") == before


def test_an_interrupted_run_with_other_settings_is_refused_before_it_is_touched(
    request_of, tmp_path
):
    trainer = perform(request_of("run", no_train=True))
    trainer.epoch = 0
    trainer.after_epoch()  # as far as the first epoch's end
    before = everything(tmp_path / "run")
    with pytest.raises(UserError, match="another config"):
        perform(request_of("run", "OPTIM.LR", "0.2"))
    assert everything(tmp_path / "run") == before


def test_without_training_nothing_is_recorded(request_of, tmp_path):
    trainer = perform(request_of("run", no_train=True))
    assert trainer.model.learned() and not (tmp_path / "run" / RESULTS).exists()


def test_a_mistake_leaves_no_folder(request_of, tmp_path):
    with pytest.raises(UserError, match=r"OPTIM\.LRR"):
        perform(request_of("run", "OPTIM.LRR", "0.2"))
    assert not (tmp_path / "run").exists()


def test_the_classes_found_are_checked_before_training(request_of, make_cfg):
    seen = []

    def check(names):
        seen.extend(names)
        raise UserError("other classes")

    with pytest.raises(UserError, match="other classes"):
        perform_cfg(make_cfg("CoOp"), request_of("run"), check)
    assert len(seen) == 3
