"""Everything that is registered keeps the same contract; a new trainer is swept without an edit."""

import re

import pytest
import torch
import yaml
from PIL import Image
from trainer_checks import cut_short, learned

import npt_plugin.config
from npt_plugin.backbone.loading import load_clip
from npt_plugin.engine.framework import TRAINER_REGISTRY, build_transform, get_cfg_default
from npt_plugin.errors import UserError
from npt_plugin.heads import HEADS, TWO_STAGE
from npt_plugin.losses import CLASSIFICATION_LOSSES
from npt_plugin.runs.configs import configs_folder, trainer_config
from npt_plugin.runs.settings import merge_file
from npt_plugin.sweep.protocols import published_config
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS

TRAINERS = {**BASE_TRAINERS, **NPT_TRAINERS}
LEARNING = sorted(set(TRAINERS) - {"ZeroshotCLIP"})
CONFIGS = configs_folder() / "trainers"
GENTLE = ("OPTIM.LR", "1e-4", "OPTIM.WEIGHT_DECAY", "0.", "DATASET.IMBALANCE.RATIO", "0.5")
SPREAD = (*GENTLE, "DATALOADER.TRAIN_X.BATCH_SIZE", "6")
"""One batch has every class, and imbalance losses have something to do."""


def second_stage(first_stages, method, trainer="CoOp", *options):
    run = first_stages(trainer, *options)
    return ("TRAINER.TWO_STAGE.METHOD", method, "TRAINER.TWO_STAGE.RUN", str(run))


@pytest.fixture
def needed(first_stages):
    """What a trainer cannot be built without."""
    return lambda name: second_stage(first_stages, "crt") if name == "TwoStage" else ()


def logits_of(trainer):
    trainer.set_model_mode("eval")
    with torch.no_grad():
        images, _ = trainer.parse_batch_test(next(iter(trainer.test_loader)))
        return trainer.model_inference(images)


def loss_on(trainer, batch):
    """The loss of a batch, margins and noise included, without dropout."""
    trainer.set_model_mode("eval")
    with torch.no_grad():
        terms, _ = trainer.losses(trainer.on_device(batch))
    return float(sum(terms.values()))


def assert_steps_learn(trainer):
    batch = next(iter(trainer.train_loader_x))
    loss_on(trainer, batch)  # GCL makes its noise generator at the first draw
    noise = trainer.classification_loss.state_dict()
    same_noise = lambda: trainer.classification_loss.load_state_dict(noise)  # noqa: E731
    same_noise()
    start, before = learned(trainer), loss_on(trainer, batch)
    trainer.set_model_mode("train")
    for _ in range(2):  # what starts behind a factor of 0 has no gradient in the first
        same_noise()
        trainer.forward_backward(batch)
    for name, parameter in trainer.model.learned().items():
        assert parameter.grad.abs().sum() > 0, f"{name} has no gradient"
        assert not torch.equal(parameter, start[name]), f"{name} did not move"
    same_noise()
    assert loss_on(trainer, batch) < before


# -- what every trainer has ---------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TRAINERS))
def test_is_registered_and_says_where_it_comes_from(name):
    npt_plugin.register(base=True)
    trainer = TRAINERS[name]
    assert TRAINER_REGISTRY.get(name) is trainer
    ours = [c for c in trainer.__mro__ if c.__module__.startswith("npt_plugin")]
    assert trainer.__dict__["__doc__"]
    assert re.search(r"Sources?:", "\n".join(c.__doc__ or "" for c in ours))


@pytest.mark.parametrize("name", sorted(TRAINERS))
def test_has_a_config_node_with_a_precision(name):
    node = npt_plugin.config.defaults().TRAINER[TRAINERS[name].model_class.prec_node]
    assert isinstance(node.PREC, str)


@pytest.mark.parametrize("name", sorted(TRAINERS))
def test_has_configs_that_load_and_are_its_own(name):
    config = published_config("base2new", name, "embedded_objects")
    folder = trainer_config(config, name, CONFIGS.parent).parent
    files = sorted(folder.glob("*.yaml"))
    assert any(f.name.startswith("tiny_") for f in files)
    node = TRAINERS[name].model_class.prec_node
    for file in files:
        cfg = npt_plugin.config.extend_cfg(get_cfg_default())
        merge_file(cfg, str(file))
        for size in (32, 300):  # CIFAR's, and larger than any input
            seen = build_transform(cfg, is_train=True)(Image.new("RGB", (size, size)))
            assert seen.shape == (3, *cfg.INPUT.SIZE), file
        keys = set(yaml.safe_load(file.read_text()).get("TRAINER", {}))
        assert keys <= {node, "NPT", "HEAD", "ZSCLIP", "IMBALANCE_LOSS"}, file
        assert node in keys or name == "ZeroshotCLIP", file
        assert re.search(rf"\b{folder.name}\b", file.read_text().splitlines()[0]), file


TINY = sorted((path.parent.name, path.name) for path in CONFIGS.glob("*/tiny_*.yaml"))


@pytest.mark.parametrize("name, file", TINY, ids=["/".join(pair) for pair in TINY])
def test_a_config_of_the_embedded_clip_builds_its_model(name, file):
    """Depths and widths are those the small towers have."""
    cfg = npt_plugin.config.extend_cfg(get_cfg_default())
    merge_file(cfg, str(CONFIGS / name / file))
    cfg.TRAINER.NAME, cfg.TRAINER.ZSCLIP.TEMPLATE = name, "a photo of a {}."
    try:
        model = TRAINERS[name].model_class(cfg, ["cat", "dog", "owl"], load_clip("Tiny", ""))
    except UserError as error:
        assert name == "TwoStage" and "TRAINER.TWO_STAGE.RUN" in str(error)
    else:
        assert model.learned() or name == "ZeroshotCLIP"


def test_no_config_folder_is_without_its_trainer():
    assert {path.name for path in CONFIGS.iterdir()} <= set(TRAINERS)


# -- what every trainer does ----------------------------------------------------------------------


@pytest.mark.numerics  # a second step behind a factor of 0 is below float32's last digit
@pytest.mark.parametrize("name", LEARNING)
def test_two_steps_move_everything_learned_and_lower_the_loss(make_trainer, needed, name):
    assert_steps_learn(make_trainer(name, *SPREAD, *needed(name)))


@pytest.mark.parametrize("name", LEARNING)
def test_saved_and_loaded_gives_the_same_logits(make_trainer, needed, tmp_path, name):
    options = ("OPTIM.MAX_EPOCH", "1", *needed(name))
    trainer = make_trainer(name, *options, output=tmp_path / "a")
    trainer.train()
    other = make_trainer(name, *options, output=tmp_path / "b", seed=7)
    other.load_model(str(tmp_path / "a"), epoch=1)
    assert torch.equal(logits_of(other), logits_of(trainer))


@pytest.mark.parametrize("name", LEARNING)
def test_resumes_to_the_same_end(make_trainer, needed, tmp_path, name):
    options = ("OPTIM.MAX_EPOCH", "2", "OPTIM.LR", "0.01", *needed(name))
    whole = make_trainer(name, *options, output=tmp_path / "whole")
    whole.train()
    cut = make_trainer(name, *options, output=tmp_path / "cut")
    cut_short(cut)
    torch.manual_seed(99)
    again = make_trainer(name, *options, output=tmp_path / "cut")
    again.train()
    for key, value in learned(whole).items():
        assert torch.equal(learned(again)[key], value), key


@pytest.mark.parametrize("loss", sorted(CLASSIFICATION_LOSSES))
@pytest.mark.parametrize("head", HEADS)
def test_every_loss_works_on_every_head(make_trainer, head, loss):
    options = ("TRAINER.HEAD.NAME", head, "TRAINER.IMBALANCE_LOSS.NAME", loss)
    assert_steps_learn(make_trainer("Decoder", *SPREAD, *options))


@pytest.mark.parametrize("loss", sorted(CLASSIFICATION_LOSSES))
@pytest.mark.parametrize("name", ["CoOp", "CoCoOp"])
def test_every_loss_works_on_learned_text(make_trainer, name, loss):
    assert_steps_learn(make_trainer(name, *SPREAD, "TRAINER.IMBALANCE_LOSS.NAME", loss))


@pytest.mark.parametrize("method", sorted(TWO_STAGE))
@pytest.mark.parametrize(
    "first",
    [
        ("CoOp",),
        ("CoCoOp",),
        ("MaPLe",),
        ("LinearProbe", "TRAINER.HEAD.NAME", "linear"),
        ("GNM_PT",),
        ("ZeroshotCLIP",),
    ],
    ids=lambda first: first[0],
)
def test_every_second_stage_works_on_every_first(make_trainer, first_stages, method, first):
    options = second_stage(first_stages, method, *first)
    assert_steps_learn(make_trainer("TwoStage", *SPREAD, *options))


def test_the_sweep_would_notice_a_trainer_that_does_not_learn(make_trainer):
    trainer = make_trainer("CoOp", *SPREAD, "OPTIM.LR", "0.")
    with pytest.raises(AssertionError, match="did not move"):
        assert_steps_learn(trainer)


def test_a_trainer_without_a_first_stage_says_so(make_trainer):
    with pytest.raises(UserError, match=r"TRAINER\.TWO_STAGE\.RUN is empty"):
        make_trainer("TwoStage")
