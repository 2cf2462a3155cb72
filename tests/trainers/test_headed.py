"""What Decoder, LinearProbe and GNM_PT share: outputs, caches, classes, refusals."""

from pathlib import Path

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError
from npt_plugin.geometry.metrics import nc_metrics
from npt_plugin.losses import build_objective

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "trainers"
HEAD, INIT = "TRAINER.HEAD.NAME", "TRAINER.HEAD.INIT"
LINEAR = (HEAD, "linear", INIT, "random")
NEW = ("DATASET.SUBSAMPLE_CLASSES", "new")


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
