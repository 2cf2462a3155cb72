"""Class means for heads that start there."""

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.backbone.outputs import normalize


@pytest.mark.numerics
def test_mean_init_is_the_mean_direction_and_moves_no_random_state(make_trainer, tmp_path):
    options = ("TRAINER.HEAD.INIT", "mean", "OPTIM.LR", "0.")
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
