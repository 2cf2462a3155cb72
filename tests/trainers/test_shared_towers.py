"""One CLIP in memory for several trainers."""

import torch

from npt_plugin.trainers.shared_towers import SharedTowers


def test_equal_towers_become_one_and_others_stay(make_trainer):
    towers = SharedTowers()
    one, same, other = (make_trainer("CoOp", seed=seed).model for seed in (0, 1, 2))
    with torch.no_grad():
        other.text_encoder.ln_final.weight[3] += 1e-6
    own = [tensor.data_ptr() for tensor in other.text_encoder.parameters()]
    logits = same(torch.ones(1, 3, 32, 32))
    for model in (one, same, other):
        towers.give(model)
    for tower in ("text_encoder", "image_encoder"):
        mine, first = (list(getattr(model, tower).parameters()) for model in (same, one))
        assert mine and all(a is b for a, b in zip(mine, first, strict=True))
    assert [tensor.data_ptr() for tensor in other.text_encoder.parameters()] == own
    assert torch.equal(same(torch.ones(1, 3, 32, 32)), logits)
    assert not torch.equal(same.prompt_learner.ctx, one.prompt_learner.ctx)  # that is its own
