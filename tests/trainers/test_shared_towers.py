"""One CLIP in memory for several trainers."""

import torch

from npt_plugin.trainers.shared_towers import SharedTowers


def test_equal_towers_become_one_and_others_stay(make_trainer):
    towers = SharedTowers()
    one, same, other = (make_trainer("CoOp", seed=seed).model for seed in (0, 1, 2))
    with torch.no_grad():
        other.text_encoder.ln_final.weight[3] += 1e-6
    own = other.text_encoder, other.image_encoder
    logits = same(torch.ones(1, 3, 32, 32))
    for model in (one, same, other):
        towers.give(model)
    assert same.text_encoder is one.text_encoder and same.image_encoder is one.image_encoder
    assert (other.text_encoder, other.image_encoder) == own
    assert torch.equal(same(torch.ones(1, 3, 32, 32)), logits)
    assert not torch.equal(same.prompt_learner.ctx, one.prompt_learner.ctx)  # that is its own
