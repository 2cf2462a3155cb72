"""What a log begins with, and which keys it says do nothing."""

from types import SimpleNamespace

import pytest

import npt_plugin
from npt_plugin.config import KEYS
from npt_plugin.engine.framework import TRAINER_REGISTRY, build_trainer
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.opening_lines import ignored_keys, opening_lines
from npt_plugin.runs.settings import Request, build_cfg
from npt_plugin.sweep.protocols import published_config
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS

MORE = 2
"""Lines a real run has more: the counts of many classes (six here), a note on its data."""

NODES = {key.name.split(".")[1] for key in KEYS if key.name.startswith("TRAINER.")}


@pytest.fixture(autouse=True)
def registered():
    npt_plugin.register(base=True)


def test_only_what_was_given_and_what_differs_is_shown():
    options = ("DATASET.NAME", "EmbeddedObjects", "TRAINER.COOP.N_CTX", "3")
    request = Request(trainer="CoOp", seed=2, opts=options)
    lines = opening_lines(request, build_cfg(request))
    assert lines[:-1] == [
        "** Arguments **",
        "** Config ** (what differs from the defaults; the whole is ./output/config.yaml)",
        "SEED 2",
        "DATASET.NAME EmbeddedObjects",
        "TRAINER.COOP.N_CTX 3; TRAINER.NAME CoOp",
        "** System info **",
    ]
    assert "torch " in lines[-1]


def test_keys_of_other_trainers_are_named_from_files_and_options(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("TRAINER:\n  COOP:\n    CSC: True\n  COCOOP:\n    PREC: fp32\n")
    options = ("TRAINER.COOP.N_CTX", 16, "TRAINER.NPT.LAMBDA_LC", 1.0, "OPTIM.LR", 0.1)
    request = Request(trainer="CoCoOp", config_file=str(file), opts=options)
    assert ignored_keys(request, "CoCoOp") == [
        "Ignored: TRAINER.COOP.CSC, TRAINER.COOP.N_CTX, TRAINER.NPT.LAMBDA_LC. Of the trainers' "
        "keys CoCoOp reads TRAINER.COCOOP, TRAINER.IMBALANCE_LOSS."
    ]
    (line,) = ignored_keys(request, "NPT-CoOp")
    assert line.startswith("Ignored: TRAINER.COCOOP.PREC. ")


def test_of_a_host_s_own_trainer_nothing_is_said(monkeypatch):
    registry = SimpleNamespace(get=lambda name: type(name, (), {}))
    monkeypatch.setattr("npt_plugin.runs.opening_lines.TRAINER_REGISTRY", registry)
    assert not ignored_keys(Request(opts=("TRAINER.COOP.N_CTX", 2)), "Theirs")


def test_our_own_yaml_files_set_no_key_in_vain():
    files = sorted((configs_folder() / "trainers").glob("*/*.yaml"))
    assert files
    for file in files:
        request = Request(config_file=str(file), trainer=file.parent.name)
        assert not ignored_keys(request, file.parent.name), file


@pytest.mark.parametrize("name", [*BASE_TRAINERS, *NPT_TRAINERS])
def test_a_trainer_is_built_without_the_nodes_it_does_not_read(name, make_cfg, first_stages):
    options = {
        "TwoStage": ("TRAINER.TWO_STAGE.RUN", str(first_stages("CoOp"))),
        "Decoder": ("TRAINER.DECODER.HEADS", "4"),
    }
    cfg = make_cfg(name, *options.get(name, ())).clone()
    reads = TRAINER_REGISTRY.get(name).config_nodes()
    assert reads < NODES
    cfg.defrost()
    for node in NODES - reads:
        del cfg.TRAINER[node]
    cfg.freeze()
    trainer = build_trainer(cfg)
    assert trainer.class_counts.sum() > 0


def test_arguments_that_no_key_shows_stand_in_one_line():
    options = ("DATASET.NAME", "EmbeddedObjects")
    request = Request(trainer="CoOp", opts=options, model_dir="a", load_epoch=3, eval_only=True)
    assert opening_lines(request, build_cfg(request))[:2] == [
        "** Arguments **",
        "eval_only True; load_epoch 3; model_dir a",
    ]


def before_training(text):
    """Lines of a log above the first step."""
    lines = text.splitlines()
    return lines[: next(i for i, line in enumerate(lines) if line.startswith("epoch ["))]


@pytest.mark.parametrize("name", [*BASE_TRAINERS, "NPT_CoOp", "NPT_MaPLe"])
def test_a_first_time_user_reads_40_lines_before_training(name, train_here, first_stages, tmp_path):
    trainer = name if (configs_folder() / "trainers" / name).is_dir() else name[len("NPT_") :]
    config = published_config("base2new", trainer, "dtd", "ViT-B/16", 16)
    words = ("--trainer", name, "--seed", "1", "--config-file", config)
    classes = ("DATASET.SUBSAMPLE_CLASSES", "all")
    options = (*classes, "DATASET.IMBALANCE.RATIO", "0.5", "OPTIM.MAX_EPOCH", "1")
    options += ("TRAIN.STEPS", "0")  # Decoder's file says 8192
    if name == "ProGrad":  # as many words as this test has vectors
        options += ("TRAINER.COOP.CTX_INIT", "a photo of")
    if name == "TwoStage":
        options += ("TRAINER.TWO_STAGE.RUN", str(first_stages("CoOp", *classes)))
    done = train_here(*words, "--output-dir", str(tmp_path / "run"), options=options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nobody watches: no bar
    if name == "ZeroshotCLIP":  # nothing to train
        assert len(done.stdout.splitlines()) < 50
        return
    lines = before_training(done.stdout)
    assert len(lines) + MORE <= 40, "\n".join(lines)
    log = (tmp_path / "run" / "log.txt").read_text()
    assert before_training(log) == lines[1:]  # the seed is set before the log is opened
    said = "\n".join(lines)
    for part in (f"Loading trainer: {name}", "# train_x", "most 4, least 2", "to be updated"):
        assert part in said
    assert "TRAINER.COOP.N_CTX 3" in said and "DATASET.IMBALANCE.RATIO 0.5" in said
