"""Zero-shot CLIP: a written prompt, encoded once."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.trainers.zeroshot import template_of

NAMES = ["red_kite", "blue kite of the sea", "boat"]


def test_the_template_is_the_dataset_s_unless_one_is_given(make_cfg):
    assert template_of(make_cfg("ZeroshotCLIP")) == "a photo of a {}, a type of pet."
    own = make_cfg("ZeroshotCLIP", "TRAINER.ZSCLIP.TEMPLATE", "a {} here")
    assert template_of(own) == "a {} here"


def test_a_template_without_a_place_for_the_name_is_refused(make_cfg):
    cfg = make_cfg("ZeroshotCLIP", "TRAINER.ZSCLIP.TEMPLATE", "a photo")
    with pytest.raises(UserError, match="'a photo' has no place for the class name"):
        template_of(cfg)


def test_nothing_is_learned_loaded_or_trained(make_trainer, tmp_path):
    trainer = make_trainer("ZeroshotCLIP", output=tmp_path / "run")
    assert not trainer.model.learned() and trainer.optim is None
    trainer.load_model(str(tmp_path / "nowhere"), epoch=3)
    tested = []
    trainer.test = lambda: tested.append(1)
    trainer.train()
    assert tested == [1]
