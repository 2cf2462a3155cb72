"""Which of CLIP's own weights learn."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.tuning.weights import tune_all, tune_biases, tune_last, tune_norms


def learning(places):
    return {n for root in places.roots for n, p in root.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("tower", ["image", "text"])
def test_all(places, tower):
    found = places(tower)
    tune_all(found)
    assert all(p.requires_grad for p in found.weights())


def test_the_last_blocks_and_the_norm_behind_them(places):
    found = places("image")
    tune_last(found, 1)
    names = learning(found)
    assert {"ln_post.weight", "transformer.resblocks.1.attn.in_proj_weight"} <= names
    assert not any(name.startswith(("transformer.resblocks.0", "conv1", "proj")) for name in names)
    tune_last(found, 2)
    assert any(name.startswith("transformer.resblocks.0") for name in learning(found))


def test_more_blocks_than_there_are_is_refused(places):
    with pytest.raises(UserError, match=r"LAST_K is 3, but the text tower has 2 blocks"):
        tune_last(places("text"), 3)


def test_biases_are_those_of_maps_and_norms(places):
    found = places("image")
    tune_biases(found)
    block = "transformer.resblocks.0."
    assert {n for n in learning(found) if n.startswith(block)} == {
        block + n
        for n in (
            *("attn.in_proj_bias", "attn.out_proj.bias", "ln_1.bias", "ln_2.bias"),
            *("mlp.c_fc.bias", "mlp.c_proj.bias"),
        )
    }
    assert {n for n in learning(found) if "resblocks" not in n} == {"ln_pre.bias", "ln_post.bias"}


def test_norms(places):
    found = places("text")
    tune_norms(found)
    assert all(".ln_" in f".{name}" for name in learning(found))
    assert len(learning(found)) == 2 * 5
