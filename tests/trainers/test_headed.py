"""Decoder, LinearProbe and GNM_PT: where they start, what they keep, what they refuse."""

from pathlib import Path

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.outputs import normalize
from npt_plugin.errors import UserError
from npt_plugin.geometry.metrics import nc_metrics
from npt_plugin.losses import build_objective
from npt_plugin.losses.gcl import GCLLoss
from npt_plugin.optim.gnm import GNM
from npt_plugin.runs.settings import merge_file

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "trainers"
HEAD, INIT = "TRAINER.HEAD.NAME", "TRAINER.HEAD.INIT"
LINEAR = (HEAD, "linear", INIT, "random")
NEW = ("DATASET.SUBSAMPLE_CLASSES", "new")


def outputs_of(trainer):
    trainer.set_model_mode("eval")
    images, _ = trainer.parse_batch_test(next(iter(trainer.test_loader)))
    with torch.no_grad():
        return trainer.model.encode(images)


# -- where they start -----------------------------------------------------------------------------


@pytest.mark.numerics
def test_text_init_on_the_projected_feature_starts_as_zero_shot_clip(make_trainer):
    zero_shot = outputs_of(make_trainer("ZeroshotCLIP"))
    ours = outputs_of(make_trainer("LinearProbe"))
    assert gap(ours.logits, zero_shot.logits) <= DOUBLE
    assert gap(ours.text_features, zero_shot.text_features) <= DOUBLE
    linear = outputs_of(make_trainer("LinearProbe", HEAD, "linear"))
    assert torch.equal(linear.logits.argmax(1), zero_shot.logits.argmax(1))


@pytest.mark.numerics
def test_text_init_on_the_unprojected_feature_is_text_through_the_projection(make_trainer):
    trainer = make_trainer("LinearProbe", "TRAINER.LINEAR_PROBE.FEATURE", "ln_post")
    text = outputs_of(make_trainer("ZeroshotCLIP")).text_features  # (K, D)
    visual = trainer.model.image_encoder.visual
    rows = torch.nn.functional.normalize(text @ visual.proj.t(), dim=-1)
    assert gap(trainer.model.head.weight.data, rows) <= DOUBLE
    assert outputs_of(trainer).image_features.shape[1] == 64


@pytest.mark.numerics
def test_a_decoder_without_blocks_is_a_head_on_the_plain_class_token(make_trainer):
    norm = ("TRAINER.DECODER.FINAL_NORM", "True")
    decoder = make_trainer("Decoder", "TRAINER.DECODER.DEPTH", "0", *norm)
    probe = make_trainer("LinearProbe", "TRAINER.LINEAR_PROBE.FEATURE", "ln_post")
    assert list(decoder.model.learned()) == ["head.weight"]
    assert gap(outputs_of(decoder).logits, outputs_of(probe).logits) <= DOUBLE
    plain = make_trainer("Decoder", "TRAINER.DECODER.DEPTH", "0")
    assert not torch.allclose(outputs_of(plain).logits, outputs_of(probe).logits, atol=1e-2)


@pytest.mark.numerics
def test_mean_init_is_the_mean_direction_and_moves_no_random_state(make_trainer, tmp_path):
    options = (INIT, "mean", "OPTIM.LR", "0.")
    trainer = make_trainer("LinearProbe", *options, output=tmp_path / "mean")
    wrapper, rows = type(trainer.test_loader.dataset), []
    plain = wrapper(trainer.cfg, trainer.dm.dataset.train_x, trainer.test_loader.dataset.transform)
    for k in range(3):
        mine = torch.stack([plain[i]["img"] for i in range(12) if plain[i]["label"] == k])
        each = normalize(trainer.model.image_features(mine))  # (N, D)
        rows.append(normalize(each.sum(0)))
    torch.manual_seed(3)
    state = torch.get_rng_state()
    trainer.before_train()
    assert torch.equal(torch.get_rng_state(), state)
    assert gap(trainer.model.head.weight.data, torch.stack(rows)) <= DOUBLE


def test_dropout_is_active_in_all_of_training_and_never_in_evaluation(make_trainer):
    trainer = make_trainer("GNM_PT", "TRAINER.GNM_PT.DROPOUT", "0.5")
    images, _ = trainer.parse_batch_train(next(iter(trainer.train_loader_x)))
    trainer.set_model_mode("train")
    seen = [trainer.model.encode(images).logits for _ in range(2)]
    assert not torch.allclose(*seen)
    trainer.set_model_mode("eval")
    seen = [trainer.model.encode(images).logits for _ in range(2)]
    assert torch.equal(*seen)


@pytest.mark.numerics
@pytest.mark.parametrize("normed", ["True", "False"])
@pytest.mark.parametrize("feature", ["ln_post", "projected"])
def test_gnm_pt_averages_class_token_and_prompt_outputs(make_trainer, normed, feature):
    options = ("TRAINER.GNM_PT.NORM_PROMPTS", normed, "TRAINER.GNM_PT.FEATURE", feature)
    model = make_trainer("GNM_PT", *options, "TRAINER.GNM_PT.N_CTX", "3").model
    visual, image = model.image_encoder.visual, torch.randn(1, 3, 32, 32)
    x = model.image_encoder.embed(image)[0]  # (17, W)
    for index, block in enumerate(visual.transformer.resblocks):
        x = block(torch.cat([x[:17], model.prompts[index]])[:, None])[:, 0]
    outputs = [visual.ln_post(o) if normed == "True" else o for o in x[17:]]
    expected = (visual.ln_post(x[0]) + sum(outputs) / 3) / 2
    if feature == "projected":
        expected = expected @ visual.proj
    assert gap(model.image_features(image)[0], expected) <= DOUBLE


# -- what they give -------------------------------------------------------------------------------


@pytest.mark.numerics
@pytest.mark.parametrize("name", ["Decoder", "GNM_PT", "LinearProbe"])
@pytest.mark.parametrize("head", ["text", "cosine", "linear"])
def test_outputs_fit_npt_s_terms_and_the_metrics(make_trainer, name, head):
    if (name, head) == ("LinearProbe", "text"):
        return
    trainer = make_trainer(name, HEAD, head)
    images, labels = trainer.parse_batch_train(next(iter(trainer.train_loader_x)))
    out = trainer.model.encode(images)
    for features in (out.image_features, out.text_features):
        assert gap(features.norm(dim=-1), torch.ones(len(features))) <= DOUBLE
    start = out.text_features.detach()  # where the rows are anchored
    terms = build_objective(trainer.cfg, trainer.class_counts, start)(out, labels)
    assert set(terms) == {"lc", "mi"}
    sum(terms.values()).backward()
    assert all(p.grad is not None for n, p in trainer.model.learned().items() if "bias" not in n)
    seen = [t.detach() for t in (out.image_features, labels, out.text_features, out.logits)]
    assert nc_metrics(*seen)["nc4_agreement"] >= 0


def test_published_gnm_pt_config_switches_everything_on(make_trainer):
    trainer = make_trainer("GNM_PT")
    assert not isinstance(trainer.optim, GNM)  # nothing is hard-wired
    cfg = trainer.cfg.clone()
    cfg.defrost()
    merge_file(cfg, str(CONFIGS / "GNM_PT" / "vit_b16_ep70.yaml"))
    loss, optim = cfg.TRAINER.IMBALANCE_LOSS, cfg.OPTIM
    assert (loss.NAME, loss.DRW_EPOCH, loss.DRW_BETA) == ("gcl", 59, 0.9998)
    assert (optim.MAX_EPOCH, optim.LR, optim.WEIGHT_DECAY) == (70, 0.005, 0.001)
    assert optim.GNM.ENABLED and optim.GNM.RHO * optim.GNM.SCALE == pytest.approx(0.005)
    assert cfg.DATALOADER.TRAIN_X.BATCH_SIZE == 128 and cfg.TRAINER.HEAD.SCALE == 25
    options = [
        *("TRAINER.IMBALANCE_LOSS.NAME", "gcl", "TRAINER.IMBALANCE_LOSS.DRW_EPOCH", "0"),
        *("TRAINER.HEAD.SCALE", "25.", "OPTIM.GNM.ENABLED", "True"),
    ]
    trainer = make_trainer("GNM_PT", *options)
    assert isinstance(trainer.optim, GNM) and isinstance(trainer.classification_loss, GCLLoss)
    assert trainer.classification_loss.shift == pytest.approx(0.1 * 25)
    trainer.train()


# -- caches ---------------------------------------------------------------------------------------


@pytest.mark.numerics
@pytest.mark.parametrize(
    "options",
    [
        ("LinearProbe",),
        ("LinearProbe", *LINEAR),
        ("LinearProbe", "TRAINER.LINEAR_PROBE.FEATURE", "ln_post"),
        ("Decoder", "TRAINER.DECODER.DEPTH", "0", *LINEAR),
    ],
)
def test_cached_features_give_the_same_logits(make_trainer, tmp_path, options):
    """All in one folder, where CoOp's features are too: they must not be mixed up."""
    cache = ("TEST.FEATURE_STORE", str(tmp_path / "cache"))
    make_trainer("CoOp", *cache).test()
    from npt_plugin.trainers.evaluate import collect_outputs

    def logits(*more):
        trainer = make_trainer(*options, *more)
        trainer.set_model_mode("eval")
        with torch.inference_mode():
            return collect_outputs(trainer, trainer.test_loader, None)[0]

    expected = logits()
    for _ in range(2):
        assert gap(logits(*cache), expected) <= DOUBLE
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.numerics
def test_training_on_cached_features_is_training_on_images(make_trainer, tmp_path):
    options = ("INPUT.TRANSFORMS", "(normalize,)", "DATALOADER.TRAIN_X.BATCH_SIZE", "12", *LINEAR)
    plain = make_trainer("LinearProbe", *options, output=tmp_path / "a")
    cache = ("INPUT.CACHED_VIEWS", "1")
    cached = make_trainer("LinearProbe", *options, *cache, output=tmp_path / "b")
    for trainer in (plain, cached):
        trainer.train()
    for name, value in plain.model.learned().items():
        assert gap(cached.model.learned()[name], value) <= DOUBLE


@pytest.mark.parametrize("name", ["Decoder", "GNM_PT"])
def test_a_learned_image_side_is_not_cached(make_trainer, name):
    with pytest.raises(UserError, match="learns the image side"):
        make_trainer(name, "INPUT.CACHED_VIEWS", "1")


# -- new classes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Decoder", "GNM_PT", "LinearProbe"])
def test_a_learned_head_refuses_new_classes(make_trainer, tmp_path, name):
    make_trainer(name, "OPTIM.MAX_EPOCH", "1", output=tmp_path / "run").train()
    new = make_trainer(name, "OPTIM.MAX_EPOCH", "1", *NEW, output=tmp_path / "new")
    with pytest.raises(UserError, match=r"cannot name grey boat, .*TRAINER\.HEAD\.NAME text"):
        new.load_model(str(tmp_path / "run"), epoch=1)


@pytest.mark.parametrize("name", ["Decoder", "GNM_PT"])
def test_a_text_head_takes_new_classes(make_trainer, tmp_path, name):
    options = (HEAD, "text", "OPTIM.MAX_EPOCH", "1")
    make_trainer(name, *options, output=tmp_path / "run").train()
    new = make_trainer(name, *options, *NEW, output=tmp_path / "new")
    new.load_model(str(tmp_path / "run"), epoch=1)
    rows = new.model.text_features()
    assert new.test() >= 0 and rows.shape[0] == 3


# -- what they refuse -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, words",
    [
        (("LinearProbe", HEAD, "text"), "has nothing to learn here"),
        (("Decoder", HEAD, "text", "TRAINER.DECODER.DEPTH", "0"), "has nothing to learn here"),
        (("Decoder", "TRAINER.DECODER.HEADS", "5"), r"TRAINER\.DECODER\.HEADS is 5"),
        (("Decoder", "TRAINER.DECODER.DEPTH", "-1"), r"TRAINER\.DECODER\.DEPTH is -1"),
        (("GNM_PT", "TRAINER.GNM_PT.DROPOUT", "1.0"), r"TRAINER\.GNM_PT\.DROPOUT is 1"),
        (("GNM_PT", "TRAINER.GNM_PT.FEATURE", "cls"), "choose one of projected, ln_post"),
        (("LinearProbe", HEAD, "cos"), r"TRAINER\.HEAD\.NAME is 'cos'; choose one of text"),
        (("LinearProbe", "TRAINER.LINEAR_PROBE.PREC", "fp8"), "PREC is 'fp8'"),
    ],
)
def test_impossible_settings_are_refused_by_name(make_trainer, options, words):
    with pytest.raises(UserError, match=words):
        make_trainer(*options)


# -- tau-normalisation ----------------------------------------------------------------------------


@pytest.mark.numerics
def test_tau_normalisation_changes_a_linear_head_at_test_time_only(make_trainer, tmp_path):
    tau = ("TRAINER.IMBALANCE_LOSS.TAU_NORM", "1.0")
    plain = make_trainer("LinearProbe", *LINEAR, output=tmp_path / "a")
    plain.train()
    normed = make_trainer("LinearProbe", *LINEAR, *tau, output=tmp_path / "b")
    normed.train()
    for name, value in plain.model.learned().items():
        assert torch.equal(normed.model.learned()[name], value), name
    features = plain.model.image_features(torch.randn(2, 3, 32, 32))
    weight = plain.model.head.weight
    expected = features @ (weight / weight.norm(dim=1, keepdim=True)).t()
    normed.set_model_mode("eval")
    assert gap(normed.model.classify(features).logits, expected) <= DOUBLE


@pytest.mark.parametrize("name", ["CoOp", "Decoder", "LinearProbe", "ZeroshotCLIP"])
def test_tau_normalisation_is_refused_where_it_would_do_nothing(make_trainer, name):
    with pytest.raises(UserError, match=r"TAU_NORM is 1\.0, but the classifier of .* no norms"):
        make_trainer(name, "TRAINER.IMBALANCE_LOSS.TAU_NORM", "1.0")


def test_posthoc_adjustment_reaches_every_head(make_trainer, tmp_path):
    run = tmp_path / "run"
    make_trainer("LinearProbe", *LINEAR, "DATASET.IMBALANCE.RATIO", "0.5", output=run).train()
    accuracy = []
    for tau in ("0.", "1000."):
        other = make_trainer(
            "LinearProbe",
            *LINEAR,
            "DATASET.IMBALANCE.RATIO",
            "0.5",
            "TRAINER.IMBALANCE_LOSS.POSTHOC_TAU",
            tau,
            output=tmp_path / f"tau{tau}",
        )
        other.load_model(str(run), epoch=2)
        accuracy.append(other.test())
    assert accuracy[1] == pytest.approx(100 / 3)  # everything is called the rarest class
