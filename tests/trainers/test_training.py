"""Training through the real framework on real files: the base trainer, resume, checkpoints."""

import json

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS

OFF = ("TRAINER.NPT.LAMBDA_LC", "0.", "TRAINER.NPT.LAMBDA_MI", "0.")


def learned(trainer):
    return {n: p.detach().clone() for n, p in trainer.model.learned().items()}


def assert_same(a, b):
    assert a.keys() == b.keys() and a
    for name in a:
        assert torch.equal(a[name], b[name]), name


@pytest.mark.parametrize("name", sorted(NPT_TRAINERS))
def test_zero_weights_train_the_base_trainer_bit_for_bit(make_trainer, tmp_path, name):
    ours = make_trainer(name, *OFF, output=tmp_path / "a")
    start = learned(ours)
    ours.train()
    base = make_trainer(name.removeprefix("NPT_"), output=tmp_path / "b")
    base.train()
    assert_same(learned(ours), learned(base))
    assert any(not torch.equal(start[n], p) for n, p in learned(ours).items())


@pytest.mark.parametrize("name", sorted(NPT_TRAINERS))
def test_terms_change_training_and_are_logged_by_name(make_trainer, tmp_path, capsys, name):
    plain = make_trainer(name, *OFF, output=tmp_path / "a")
    plain.train()
    capsys.readouterr()
    ours = make_trainer(name, output=tmp_path / "b")
    ours.train()
    out = capsys.readouterr().out
    assert " lc " in out and " mi " in out and " ce " in out
    assert any(not torch.equal(p, learned(plain)[n]) for n, p in learned(ours).items())


HEADED = {"Decoder", "GNM_PT", "LinearProbe", "TwoStage"}  # these keep to their classes


@pytest.mark.parametrize("name", sorted({*BASE_TRAINERS, *NPT_TRAINERS} - HEADED))
def test_every_prompt_trainer_trains_saves_loads_and_writes_a_record(make_trainer, tmp_path, name):
    trainer = make_trainer(name, output=tmp_path / "base")
    trainer.train()
    record = json.loads((tmp_path / "base" / "results.json").read_text())
    assert record["status"] == "completed" and record["trainer"] == name
    assert record["metrics"]["accuracy"] == pytest.approx(trainer.test(), abs=1e-6)
    if not trainer.model.learned():
        return
    other = make_trainer(name, "DATASET.SUBSAMPLE_CLASSES", "new", output=tmp_path / "new", seed=5)
    other.load_model(str(tmp_path / "base"), epoch=2)
    assert_same(learned(trainer), learned(other))
    folder = tmp_path / "base" / trainer.model.checkpoint_name
    assert (folder / "model.pth.tar-2").stat().st_size < 200_000


@pytest.mark.numerics
@pytest.mark.parametrize("position", ["middle", "front"])
@pytest.mark.parametrize("csc", ["True", "False"])
def test_class_token_positions_against_a_loop(make_trainer, position, csc):
    trainer = make_trainer(
        "CoOp", "TRAINER.COOP.CLASS_TOKEN_POSITION", position, "TRAINER.COOP.CSC", csc
    )
    from npt_plugin.backbone.loading import load_clip, tokenize, tokenizer

    learner = trainer.model.prompt_learner
    clip = load_clip("", trainer.cfg.MODEL.CLIP_WEIGHTS).float()
    n_before = 3 // 2 if position == "middle" else 0
    for k, name in enumerate(trainer.classnames):
        name = name.replace("_", " ")
        token = clip.token_embedding(tokenize([f"X X X {name}."]))[0]  # (77, W)
        n_name = len(tokenizer().encode(name))
        ctx = learner.ctx[k] if csc == "True" else learner.ctx
        expected = [token[:1], ctx[:n_before], token[4 : 4 + n_name], ctx[n_before:]]
        row = torch.cat([*expected, token[4 + n_name :]])
        assert gap(learner()[k], row[: learner().shape[1]]) <= DOUBLE


@pytest.mark.parametrize("name", ["NPT_CoOp", "NPT_MaPLe"])
@pytest.mark.parametrize("extra", [(), ("OPTIM.GNM.ENABLED", "True", "INPUT.CACHED_VIEWS", "2")])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(make_trainer, tmp_path, name, extra):
    if name == "NPT_MaPLe" and extra:
        extra = extra[:2]
    options = ("OPTIM.MAX_EPOCH", "4", "TRAINER.NPT.MI.MOMENTUM", "0.5", *extra)
    whole = make_trainer(name, *options, output=tmp_path / "whole")
    whole.train()

    class Interrupted(Exception):
        pass

    cut = make_trainer(name, *options, output=tmp_path / "cut")
    run_epoch = cut.run_epoch

    def stop_in_epoch_three():
        if cut.epoch == 2:
            raise Interrupted
        run_epoch()

    cut.run_epoch = stop_in_epoch_three
    with pytest.raises(Interrupted):
        cut.train()
    torch.manual_seed(99)  # whatever the process did since
    again = make_trainer(name, *options, output=tmp_path / "cut")
    again.train()
    assert_same(learned(again), learned(whole))
    first, second = (
        json.loads((tmp_path / d / "results.json").read_text())["metrics"] for d in ("whole", "cut")
    )
    assert first == second


def test_resume_refuses_another_config_and_names_the_key(make_trainer, tmp_path):
    make_trainer("CoOp", output=tmp_path / "run").train()
    with pytest.raises(UserError, match=r"OPTIM\.LR: 0\.1 -> 0\.2"):
        make_trainer("CoOp", "OPTIM.LR", "0.2", output=tmp_path / "run").train()


def test_resume_refuses_other_images_and_leaves_the_record_alone(make_trainer, tmp_path):
    make_trainer("CoOp", output=tmp_path / "run").train()
    record = tmp_path / "run" / "selection.json"
    content = json.loads(record.read_text())
    content["train"].reverse()  # as if the split had changed meanwhile
    record.write_text(json.dumps(content))
    with pytest.raises(UserError, match="began with other images"):
        make_trainer("CoOp", output=tmp_path / "run").train()
    assert json.loads(record.read_text()) == content


def test_a_damaged_progress_file_falls_back_to_the_one_before(make_trainer, tmp_path, capsys):
    make_trainer("CoOp", output=tmp_path / "run").train()
    file = tmp_path / "run" / "progress.npt"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    again = make_trainer("CoOp", output=tmp_path / "run")
    again.train()
    assert "resume training at epoch 2" in capsys.readouterr().out


def test_checkpoint_of_another_shape_is_refused_by_name(make_trainer, tmp_path):
    make_trainer("CoOp", output=tmp_path / "run").train()
    other = make_trainer("CoOp", "TRAINER.COOP.N_CTX", "5", output=tmp_path / "other")
    with pytest.raises(UserError, match=r"'ctx' has shape \(3, 64\), this run needs \(5, 64\)"):
        other.load_model(str(tmp_path / "run"), epoch=2)
    with pytest.raises(UserError, match="model.pth.tar-2"):  # says which epochs there are
        other.load_model(str(tmp_path / "run"), epoch=7)


def test_steps_are_spread_over_the_epochs(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", "TRAIN.STEPS", "13", "OPTIM.MAX_EPOCH", "4")
    taken = []
    step = trainer.optim.step
    trainer.optim.step = lambda *a: (taken.append(trainer.epoch), step(*a))
    trainer.train()
    assert [taken.count(e) for e in range(4)] == [3, 3, 3, 4]


@pytest.mark.numerics
def test_cached_features_are_those_of_the_images(make_trainer):
    """Without augmentation every view is the image itself, so training must not differ."""
    options = ("INPUT.TRANSFORMS", "(normalize,)", "DATALOADER.TRAIN_X.BATCH_SIZE", "12")
    plain = make_trainer("CoOp", *options)
    cached = make_trainer("CoOp", *options, "INPUT.CACHED_VIEWS", "2")
    batches = [next(iter(t.train_loader_x)) for t in (plain, cached)]
    with torch.no_grad():
        direct = plain.model.image_features(batches[0]["img"])
    stored = dict(zip(batches[1]["impath"], batches[1]["features"], strict=True))
    for path, feature in zip(batches[0]["impath"], direct, strict=True):
        assert gap(stored[path], feature) <= DOUBLE


def test_views_do_not_depend_on_when_they_are_encoded(make_trainer):
    """A resumed run encodes them later, with other random states and at another epoch."""

    options = ("DATALOADER.TRAIN_X.BATCH_SIZE", "12", "INPUT.CACHED_VIEWS", "2")
    early, late = (make_trainer("CoOp", *options).train_loader_x for _ in range(2))
    early.set_epoch(7)
    first = early.features
    torch.manual_seed(99)
    late.set_epoch(7)
    before = torch.get_rng_state()
    assert torch.equal(late.features, first)
    assert torch.equal(torch.get_rng_state(), before)
    assert late.epoch == 7


def test_evaluation_encodes_no_training_views(make_trainer, monkeypatch):
    from npt_plugin.trainers.loaders import FeatureCacheLoader

    trainer = make_trainer("CoOp", "INPUT.CACHED_VIEWS", "2")
    monkeypatch.setattr(FeatureCacheLoader, "_encode", lambda self: pytest.fail("encoded"))
    trainer.test()


def test_feature_cache_is_refused_where_the_image_side_learns(make_trainer):
    with pytest.raises(UserError, match="learns the image side"):
        make_trainer("MaPLe", "INPUT.CACHED_VIEWS", "2")


def test_a_loss_that_is_not_finite_is_named(make_trainer):
    trainer = make_trainer("NPT_CoOp", "OPTIM.LR", "1e30")
    with pytest.raises(FloatingPointError, match="is nan|is inf"):
        trainer.train()


def test_no_step_waits_for_the_device(make_trainer, first_stages):
    """Every term and the summary of a step run without reading a tensor on the host."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            assert "_local_scalar_dense" not in str(func) and "nonzero" not in str(func), func
            return func(*args, **(kwargs or {}))

    options = ("TRAINER.TWO_STAGE.RUN", str(first_stages("CoOp")))
    for name in ("NPT_CoOp", "NPT_CoCoOp", "NPT_MaPLe", *sorted(HEADED)):
        trainer = make_trainer(name, *options)
        batch = next(iter(trainer.train_loader_x))
        trainer.set_model_mode("train")
        with Watch():
            trainer.losses(trainer.on_device(batch))


def test_cached_views_differ_also_with_deterministic_augmentation(make_trainer):
    options = ("DATALOADER.DETERMINISTIC_AUG", "True", "INPUT.CACHED_VIEWS", "2")
    features = make_trainer("CoOp", *options).train_loader_x.features  # (N, V, D)
    assert not torch.allclose(features[:, 0], features[:, 1])
    assert torch.equal(features, make_trainer("CoOp", *options).train_loader_x.features)


def test_the_chosen_images_are_recorded_with_the_run(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", "DATASET.IMBALANCE.RATIO", "0.5", output=tmp_path / "run")
    trainer.train()
    text = (tmp_path / "run" / "selection.json").read_text()
    for item in trainer.dm.dataset.train_x:
        assert item.impath.rsplit("/", 1)[1] in text
