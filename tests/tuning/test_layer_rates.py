"""Learning rates by layer."""

import pytest

from npt_plugin.tuning.layer_rates import layer_rates
from npt_plugin.tuning.weights import tune_all


def test_a_rate_falls_by_the_decay_from_layer_to_layer(clip, places):
    towers = [places("image"), places("text")]
    for tower in towers:
        tune_all(tower)
    clip, head = clip.model, clip.logit_scale
    groups = layer_rates([*towers[0].weights(), *towers[1].weights(), head], towers, 0.8, 0.5)
    assert [g["lr"] for g in groups] == pytest.approx([0.8, 0.4, 0.2, 0.1])
    rate = {id(p): g["lr"] for g in groups for p in g["params"]}
    assert len(rate) == sum(len(g["params"]) for g in groups)  # each once
    visual = clip.visual
    assert rate[id(head)] == rate[id(visual.proj)] == rate[id(clip.ln_final.weight)] == 0.8
    assert rate[id(visual.transformer.resblocks[1].ln_1.weight)] == 0.4
    assert rate[id(clip.transformer.resblocks[0].ln_1.weight)] == 0.2
    assert rate[id(visual.conv1.weight)] == rate[id(clip.token_embedding.weight)] == 0.1
