"""``npt words``: the nearest words."""

import pytest
import torch

from npt_plugin.backbone.loading import load_clip
from npt_plugin.backbone.openai import byte_pairs
from npt_plugin.cli import main as cli
from npt_plugin.cli.words import nearest_words
from npt_plugin.trainers.context import embed_words


def test_nearest_words_find_a_planted_word(make_trainer, tmp_path, capsys):
    trainer = make_trainer("CoOp", "OPTIM.MAX_EPOCH", "1", output=tmp_path / "run")
    trainer.train()
    clip = load_clip("", trainer.cfg.MODEL.CLIP_WEIGHTS)
    assert byte_pairs().encode("kite boat fish")
    with torch.no_grad():
        trainer.model.prompt_learner.ctx.copy_(embed_words(clip, "kite boat fish", 3))
    trainer.save_model(0, str(tmp_path / "run"))
    found = nearest_words(tmp_path / "run", k=1)
    assert [row[0][0] for row in found] == ["kite", "boat", "fish"]
    assert max(row[0][1] for row in found) < 1e-2
    assert cli.main(["words", str(tmp_path / "run")]) == 0
    assert "kite (0.0" in capsys.readouterr().out
    assert cli.main(["words", str(tmp_path / "run"), "--top-k", "0"]) == 2
    assert "--top-k is 0" in capsys.readouterr().err


@pytest.mark.parametrize("headed_run", ["decoder"], indirect=True)
def test_words_says_that_there_are_none(headed_run, capsys):
    assert cli.main(["words", str(headed_run)]) == 2
    assert "Decoder learns no context words" in capsys.readouterr().err
