"""FineTune the trainer: what it refuses, its averages, its rates, and whole runs."""

import pytest
import torch
from tolerance import DOUBLE, gap
from trainer_checks import assert_same, cut_short, learned, outputs_of

from npt_plugin.errors import UserError
from npt_plugin.optim import GNM, SAM
from npt_plugin.runs.folder import RunFolder
from npt_plugin.trainers.restore import load_model
from npt_plugin.trainers.shared_towers import SharedTowers
from npt_plugin.tuning.methods import METHODS

NODE = "TRAINER.FINE_TUNE."
TEXT = ("TRAINER.HEAD.NAME", "text")
LORA = (NODE + "METHOD", "lora", NODE + "TOWERS", "both", NODE + "RANK", "2", *TEXT)


@pytest.mark.parametrize(
    "options, words",
    [
        ((NODE + "METHOD", "lorra"), "METHOD is 'lorra'; choose one of full, last_k"),
        ((NODE + "TOWERS", "all"), "TOWERS is 'all'; choose one of image, text, both"),
        ((NODE + "FEATURE", "cls", *TEXT), "FEATURE is 'cls'"),
        ((NODE + "TOWERS", "both"), "text tower does not reach"),
        ((NODE + "TOWERS", "text", NODE + "FEATURE", "ln_post", *TEXT), "does not reach"),
        ((NODE + "LORA_MAPS", "q, x"), "'x' is not a map"),
        ((NODE + "ADAPTFORMER_FORM", "lite"), "ADAPTFORMER_FORM is 'lite'"),
        ((NODE + "LAYER_DECAY", "1.5"), "LAYER_DECAY is 1.5"),
        ((NODE + "LAYER_DECAY", "0."), "LAYER_DECAY is 0.0"),
        ((NODE + "EMA", "1."), "EMA is 1.0"),
        ((NODE + "METHOD", "last_k", NODE + "LAST_K", "3"), "LAST_K is 3, but the image tower"),
        (
            (NODE + "METHOD", "full", NODE + "PREC", "fp16"),
            "PREC is 'fp16'; choose one of fp32, amp",
        ),
        ((NODE + "PREC", "auto"), "PREC is 'auto'"),
        (
            (NODE + "EMA", "0.9", "TRAIN.AVERAGE", "gaussian", "TRAIN.AVERAGE_MEAN", "1."),
            "two averages",
        ),
        (("INPUT.CACHED_VIEWS", "2"), "learns the image side"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(make_trainer, options, words):
    with pytest.raises(UserError, match=words):
        make_trainer("FineTune", *options)


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_run_ends_as_the_whole_one(make_trainer, tmp_path, method):
    options = (NODE + "METHOD", method, NODE + "EMA", "0.5", NODE + "LAYER_DECAY", "0.7")
    options += (NODE + "TOWERS", "both", "OPTIM.LR", "0.01", *TEXT)
    whole = make_trainer("FineTune", *options, output=tmp_path / "whole")
    whole.train()
    cut = make_trainer("FineTune", *options, output=tmp_path / "cut")
    cut_short(cut)
    torch.manual_seed(99)
    again = make_trainer("FineTune", *options, output=tmp_path / "cut")
    again.train()
    assert_same(learned(again), learned(whole))
    assert all(map(torch.equal, again.ema.averages, whole.ema.averages))


def test_the_average_is_what_is_tested_and_saved(make_trainer, tmp_path):
    trainer = make_trainer("FineTune", *LORA, NODE + "EMA", "0.9", output=tmp_path / "a")
    trainer.train()
    weights = learned(trainer)
    with trainer.tested_weights():
        averages = learned(trainer)
        expected = outputs_of(trainer).logits
    assert_same(learned(trainer), weights)
    assert not any(torch.equal(weights[name], averages[name]) for name in weights)
    loaded, *_ = load_model(RunFolder.open(tmp_path / "a"), device="cpu")
    assert_same(loaded.state_dict(), {**loaded.state_dict(), **averages})
    other = make_trainer("FineTune", *LORA, NODE + "EMA", "0.9", output=tmp_path / "b")
    other.load_model(str(tmp_path / "a"), epoch=2)
    with other.tested_weights():
        assert torch.equal(outputs_of(other).logits, expected)


def test_layers_have_rates_of_their_own_and_the_schedule_keeps_their_ratio(make_trainer):
    options = (NODE + "METHOD", "full", NODE + "LAYER_DECAY", "0.5", "OPTIM.LR", "0.08")
    trainer = make_trainer("FineTune", *options)
    rates = lambda: [group["lr"] for group in trainer.optim.param_groups]  # noqa: E731
    assert rates() == pytest.approx([0.08, 0.04, 0.02, 0.01])
    assert trainer.get_current_lr() == pytest.approx(0.08)
    trainer.optim.step()
    trainer.sched.step()
    assert 0 < rates()[0] < 0.08
    assert [rate / rates()[0] for rate in rates()] == pytest.approx([1, 0.5, 0.25, 0.125])
    together = [p for group in trainer.optim.param_groups for p in group["params"]]
    assert {id(p) for p in together} == {id(p) for p in trainer.model.learned().values()}


@pytest.mark.parametrize("optimiser", ["GNM", "SAM"])
def test_gnm_and_sam_work_on_it(make_trainer, optimiser):
    options = (f"OPTIM.{optimiser}.ENABLED", "True", "OPTIM.GNM.SCHEDULE", "constant")
    trainer = make_trainer("FineTune", *LORA, *options)
    assert isinstance(trainer.optim, {"GNM": GNM, "SAM": SAM}[optimiser])
    before = learned(trainer)
    trainer.train()
    assert not any(torch.equal(p, before[n]) for n, p in trainer.model.learned().items())


@pytest.mark.numerics
def test_a_step_of_sgd_follows_the_gradient(make_trainer):
    trainer = make_trainer(
        "FineTune", NODE + "METHOD", "full", "OPTIM.MOMENTUM", "0.", "OPTIM.WEIGHT_DECAY", "0."
    )
    batch = next(iter(trainer.train_loader_x))
    before = learned(trainer)
    terms, _ = trainer.losses(trainer.on_device(batch))
    model = trainer.model
    gradients = torch.autograd.grad(sum(terms.values()), list(model.learned().values()))
    trainer.forward_backward(batch)
    for (name, parameter), gradient in zip(model.learned().items(), gradients, strict=True):
        assert gap(parameter, before[name] - 0.1 * gradient) <= DOUBLE, name


def test_towers_that_learn_are_not_shared(make_trainer, tmp_path):
    towers = SharedTowers()
    frozen = make_trainer("CoOp", output=tmp_path / "0").model
    towers.give(frozen)
    models = [make_trainer("FineTune", *LORA, output=tmp_path / str(i)).model for i in (1, 2)]
    for model in models:
        towers.give(model)
    for one, other in ((models[0], models[1]), (models[0], frozen)):
        for mine, theirs in (
            (one.image_encoder, other.image_encoder),
            (one.text_encoder, other.text_encoder),
        ):
            shared = {id(p) for p in mine.parameters()} & {id(p) for p in theirs.parameters()}
            assert not shared


def test_a_second_stage_stands_on_it(make_trainer, first_stages):
    run = first_stages("FineTune", *LORA)
    node = ("TRAINER.TWO_STAGE.RUN", str(run), "TRAINER.TWO_STAGE.METHOD", "lws")
    trainer = make_trainer("TwoStage", *node)
    assert sorted(trainer.model.learned()) == ["second.scale"]
    trainer.train()


def test_features_of_a_learning_tower_are_not_stored(make_trainer, tmp_path, capsys):
    store = ("TEST.FEATURE_STORE", str(tmp_path / "store"))
    make_trainer("FineTune", *TEXT, *store).test()
    assert "not used" in capsys.readouterr().out and not (tmp_path / "store").exists()
    text = (NODE + "METHOD", "lora", NODE + "TOWERS", "text", *TEXT, *store)
    trainer = make_trainer("FineTune", *text, output=tmp_path / "b")
    accuracy = trainer.test()
    assert (tmp_path / "store").exists() and trainer.test() == accuracy
