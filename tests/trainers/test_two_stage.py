"""The second stage: what it trains, draws and minimises."""

import json

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE, gap
from trainer_checks import first_logits

from npt_plugin.cli import main as cli
from npt_plugin.datasets.samplers import ClassBalancedSampler, SquareRootSampler
from npt_plugin.losses.classification import CrossEntropyLoss
from npt_plugin.losses.margin import LDAMLoss
from npt_plugin.losses.weighting import power_weights
from npt_plugin.predictor import Predictor
from npt_plugin.runs.layout import RESULTS

RATIO = ("DATASET.IMBALANCE.RATIO", "0.25")
LINEAR = ("LinearProbe", "TRAINER.HEAD.NAME", "linear", "TRAINER.HEAD.INIT", "random")


@pytest.mark.numerics
def test_crt_really_starts_a_new_head_of_the_first_one_s_kind(second):
    linear = second("crt", LINEAR).model
    assert linear.second.logit_scale == 0 and linear.second.classifier.bias is not None
    assert not torch.allclose(linear.second.classifier.weight, linear.first.head.weight, atol=1e-3)
    images = torch.randn(3, 3, 32, 32)
    expected = linear.second.classifier(linear.first.image_features(images))  # not normalised
    assert gap(linear.encode(images).logits, expected) <= DOUBLE
    cosine = second("crt").model
    scale = cosine.logit_scale.exp().item()
    assert cosine.head_scale == pytest.approx(scale)
    weight = F.normalize(cosine.second.classifier.weight, dim=-1)
    expected = scale * cosine.first.image_features(images) @ weight.t()
    assert gap(cosine.encode(images).logits, expected) <= DOUBLE
    assert gap(cosine.encode(images).text_features, weight) <= DOUBLE


@pytest.mark.numerics
@pytest.mark.parametrize("method", ["lws", "marc"])
@pytest.mark.parametrize("first", [("CoOp",), ("CoCoOp",), ("GNM_PT",)], ids=lambda f: f[0])
def test_corrections_start_as_the_first_stage(second, method, first):
    trainer = second(method, first)
    images = torch.randn(4, 3, 32, 32)
    trainer.set_model_mode("train")
    assert gap(trainer.model(images), first_logits(trainer, images)) <= DOUBLE


@pytest.mark.numerics
def test_marc_sees_the_norms_of_a_linear_head(second):
    model = second("marc", LINEAR).model
    assert gap(model.second.norms, model.first.head.weight.norm(dim=-1)) <= DOUBLE


# -- sampling and loss ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["crt", "lws"])
def test_balanced_methods_draw_classes_alike_with_replacement(second, method):
    trainer = second(method)
    sampler = trainer.train_loader_x.sampler
    assert isinstance(sampler, ClassBalancedSampler)
    labels = [item.label for item in trainer.dm.dataset.train_x]
    assert sorted({labels.count(k) for k in range(3)}) == [1, 2, 4]
    drawn = [labels[i] for epoch in range(200) for i in (sampler.set_epoch(epoch), sampler)[1]]
    for k in range(3):  # 1400 draws of 1/3 each; without replacement: 1/7 of the rarest
        assert 0.28 < drawn.count(k) / len(drawn) < 0.39
    loss = trainer.classification_loss
    assert type(loss) is CrossEntropyLoss and not loss.weighted


@pytest.mark.numerics
@pytest.mark.parametrize("method", ["disalign", "marc"])
def test_weighted_methods_draw_images_as_they_are(second, method):
    trainer = second(method)
    assert not isinstance(trainer.train_loader_x.sampler, ClassBalancedSampler)
    weights = power_weights(trainer.class_counts, 1.2).float()
    found = trainer.classification_loss.weights
    assert gap(found / found.sum(), weights / weights.sum()) <= DOUBLE


def test_loss_and_sampler_can_be_chosen(second):
    options = (
        "TRAINER.IMBALANCE_LOSS.NAME",
        "ldam",
        "TRAINER.TWO_STAGE.SAMPLER",
        "SquareRootSampler",
    )
    trainer = second("marc", ("CoOp",), *options)
    assert isinstance(trainer.classification_loss, LDAMLoss)
    assert isinstance(trainer.train_loader_x.sampler, SquareRootSampler)


# -- caches ---------------------------------------------------------------------------------------


@pytest.mark.numerics
@pytest.mark.parametrize("method", ["crt", "marc"])
@pytest.mark.parametrize("first", [("CoOp",), ("MaPLe",), ("GNM_PT",), LINEAR], ids=lambda f: f[0])
def test_features_of_any_first_stage_can_be_cached(second, tmp_path, first, method):
    """Also those of an image side that had learned; crt draws classes, with the same draws."""
    cache = ("INPUT.TRANSFORMS", "(normalize,)", "DATALOADER.TRAIN_X.BATCH_SIZE", "7")
    plain = second(method, first, *cache, output=tmp_path / "plain")
    plain.train()
    cache += ("INPUT.CACHED_VIEWS", "1", "TEST.FEATURE_STORE", str(tmp_path / "cache"))
    cached = second(method, first, *cache, output=tmp_path / "cached")
    cached.train()
    for name, value in plain.model.learned().items():
        assert gap(cached.model.learned()[name], value) <= DOUBLE
    again = second(method, first, *cache, output=tmp_path / "again")
    again.load_model(str(tmp_path / "cached"), epoch=2)
    assert again.test() == pytest.approx(plain.test())


def test_features_of_a_frozen_tower_are_shared_those_of_a_tuned_one_are_not(
    second, make_trainer, tmp_path
):
    cache = ("TEST.FEATURE_STORE", str(tmp_path / "cache"))
    make_trainer("CoOp", *cache, output=tmp_path / "a").test()
    second("lws", ("CoOp",), *cache, output=tmp_path / "b").test()
    assert len(list((tmp_path / "cache").iterdir())) == 1
    second("lws", ("MaPLe",), *cache, output=tmp_path / "c").test()
    second("lws", ("VPT",), *cache, output=tmp_path / "d").test()
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_batches_are_divided_as_the_first_stage_allows(second):
    assert second("lws", ("CoOp",)).model.at_once == 32
    assert second("lws", ("MaPLe",)).model.at_once == 0  # more than the tower


@pytest.mark.parametrize("method", ["crt", "lws", "disalign", "marc"])
def test_a_first_stage_whose_text_follows_the_image(second, tmp_path, method):
    trainer = second(method, ("CoCoOp",), "TEST.NC_PER_EPOCH", "1", output=tmp_path / "run")
    trainer.train()
    record = json.loads((tmp_path / "run" / RESULTS).read_text())
    assert record["metrics"]["nc"]["nc4_agreement"] >= 0


# -- a finished second stage ----------------------------------------------------------------------


@pytest.mark.numerics
def test_eval_predict_and_export(second, pets_root, tmp_path, monkeypatch, capfd):
    run = tmp_path / "run"
    trainer = second("lws", output=run)
    trainer.train()
    record = json.loads((run / RESULTS).read_text())
    assert record["status"] == "completed" and record["trainable_parameters"] == 3
    monkeypatch.chdir(tmp_path)
    assert cli.main(["eval", "--run", str(run)]) == 0, capfd.readouterr().err
    again = json.loads((run / "eval" / "OxfordPets_base" / RESULTS).read_text())
    assert again["metrics"] == record["metrics"]
    assert cli.main(["eval", "--run", str(run), "--classes", "new"]) == 2
    assert "keeps to the classes" in capfd.readouterr().err
    images = sorted((pets_root / "oxford_pets" / "images").glob("red_kite_test_*.jpg"))
    predictor = Predictor.from_run(run)
    batch = torch.stack([predictor.preprocess(image) for image in images])
    trainer.set_model_mode("eval")
    with torch.no_grad():
        assert gap(predictor.logits(images), trainer.model(batch)) <= DOUBLE
    assert cli.main(["predict", str(run), str(images[0]), "--names", "cat,dog"]) == 2
    assert cli.main(["export", str(run)]) == 2
    assert "a second stage corrects its logits" in capfd.readouterr().err
