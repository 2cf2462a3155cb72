"""What trainers hand over: logits are the scaled cosines of the two features beside them."""

from dataclasses import FrozenInstanceError

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.outputs import PromptOutputs

pytestmark = pytest.mark.numerics


@pytest.mark.parametrize("name, per_image", [("CoOp", False), ("CoCoOp", True), ("MaPLe", False)])
def test_logits_are_the_cosines_of_the_features_times_the_scale(make_trainer, name, per_image):
    trainer = make_trainer(name)
    images, _ = trainer.parse_batch_train(next(iter(trainer.train_loader_x)))
    out = trainer.model.encode(images)
    text = out.text_features if per_image else out.text_features.expand(len(images), -1, -1)
    assert text.shape == (4, 3, 48)
    cosines = torch.stack([rows @ one for rows, one in zip(text, out.image_features, strict=True)])
    assert gap(out.logits, trainer.model.logit_scale.exp() * cosines) <= DOUBLE
    for features in (out.image_features, text):
        assert (features.norm(dim=-1) - 1).abs().max() <= DOUBLE


def test_nobody_changes_them_on_the_way():
    out = PromptOutputs(torch.zeros(1, 2), torch.ones(1, 3), torch.ones(2, 3))
    with pytest.raises(FrozenInstanceError):
        out.logits = torch.ones(1, 2)
