import math

import pytest
import torch

from npt_plugin.backbone.tiny import load_tiny_state_dict
from npt_plugin.embedded import pretrain
from npt_plugin.embedded.corpus import LazyCorpus
from npt_plugin.embedded.pretrain import make_optimizer, train, write_weights
from npt_plugin.embedded.recipe import Recipe
from npt_plugin.embedded.tiny_model import TinyClip
from npt_plugin.embedded.weights import file_sha256, known_token_ids, read_card

SMALL = Recipe(pictures=20, steps=4, batch=8, width=64, layers=1, text_layers=1, embed=16, patch=16)


def test_the_committed_weights_are_of_the_default_recipe():
    assert Recipe(**read_card()["recipe"]) == Recipe()


def test_every_parameter_has_one_rate():
    model = TinyClip(SMALL)
    matrices, plain, rows, scale = make_optimizer(model, SMALL).param_groups
    grouped = [p for group in (matrices, plain, rows, scale) for p in group["params"]]
    assert len(grouped) == len({id(p) for p in grouped}) == len(list(model.parameters()))
    assert rows["params"] == [model.rows] and rows["peak"] == SMALL.lr * SMALL.token_lr
    assert scale["params"] == [model.clip.logit_scale] and scale["peak"] == SMALL.scale_lr
    assert all(p.ndim >= 2 for p in matrices["params"]) and matrices["weight_decay"] == 0.1
    assert plain["weight_decay"] == rows["weight_decay"] == scale["weight_decay"] == 0


def test_training_is_repeatable_and_moves_the_model():
    corpus = LazyCorpus(SMALL.seed, SMALL.pictures)
    (one, losses, trace), (two, again, _) = (train(SMALL, corpus) for _ in range(2))
    assert losses == again and len(losses) == SMALL.steps
    assert trace.record()["losses"] == [round(loss, 6) for loss in losses]
    before = TinyClip(SMALL).state_dict()
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name])
    assert not torch.equal(one.rows, before["rows"])
    assert one.clip.logit_scale <= math.log(100)


def test_the_first_steps_are_those_of_the_whole_run():
    corpus = LazyCorpus(SMALL.seed, SMALL.pictures)
    assert train(SMALL, corpus, steps=2)[1] == train(SMALL, corpus)[1][:2]


def test_weights_and_card_belong_together(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrain, "Corpus", LazyCorpus)
    path = tmp_path / "small.safetensors"
    card = write_weights(path, SMALL)
    assert card == read_card(tmp_path / "small.json")
    assert card["sha256"] == file_sha256(path)
    assert Recipe(**card["recipe"]) == SMALL and len(card["check"]["losses"]) == SMALL.steps
    state = load_tiny_state_dict(path)
    model = train(SMALL, LazyCorpus(SMALL.seed, SMALL.pictures))[0]
    # half precision keeps 11 bits: 0.05 % of each entry
    torch.testing.assert_close(
        state["visual.proj"], model.clip.visual.proj.data, rtol=1e-3, atol=1e-6
    )
    torch.testing.assert_close(
        state["token_embedding.weight"][known_token_ids()], model.rows.data, rtol=1e-3, atol=1e-6
    )


def test_the_command_needs_a_file_or_check(capsys):
    with pytest.raises(SystemExit) as ended:
        pretrain.main([])
    assert ended.value.code == 2 and "--out FILE" in capsys.readouterr().err


def test_a_failed_check_ends_with_1(monkeypatch, capsys):
    monkeypatch.setattr(pretrain, "check_committed", lambda rerun: (False, "CHECK FAILED: x"))
    assert pretrain.main(["--check"]) == 1
    assert capsys.readouterr().out == "CHECK FAILED: x\n"


def test_check_command_passes_here(capsys):
    assert pretrain.main(["--check"]) == 0
    out = capsys.readouterr().out
    assert "CHECK PASSED" in out and read_card()["check"]["data_sha256"][:12] in out
