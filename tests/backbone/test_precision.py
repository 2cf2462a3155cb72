import copy

import pytest
import torch

from npt_plugin.backbone import precision
from npt_plugin.backbone.openai import BytePairs
from npt_plugin.backbone.outputs import normalize
from npt_plugin.backbone.precision import CHOICES, check_precision, resolve_precision
from npt_plugin.errors import UserError

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("dtype, close", [(torch.bfloat16, 0.99), (torch.float16, 0.999)])
def test_half_precision_towers_point_the_same_way(small_clip, dtype, close):
    images, tokens = torch.randn(2, 3, 32, 32), BytePairs()(["a photo of a cat.", "old boat"])
    embedded, eot = small_clip.embed(tokens), tokens.argmax(dim=-1)
    full = copy.deepcopy(small_clip)
    small_clip.cast(dtype)
    for a, b in (
        (full.image_tower()(images), small_clip.image_tower()(images)),
        (full.text_tower()(embedded, eot), small_clip.text_tower()(embedded, eot)),
    ):
        assert b.dtype == dtype
        assert (normalize(a) * normalize(b.float())).sum(-1).min() > close


def test_halves_keep_layer_norms_and_embeddings_in_single_precision(small_clip):
    small_clip.cast(torch.float16)
    parameters = small_clip.model.named_parameters()
    kept = {name for name, p in parameters if p.dtype == torch.float32}
    assert {n for n in kept if "ln_" not in n and "embedding" not in n} == {"logit_scale"}
    assert any("ln_1" in n for n in kept) and "token_embedding.weight" in kept
    small_clip.cast(torch.float32)
    assert {p.dtype for p in small_clip.parameters()} == {torch.float32}


def test_names(capsys):
    assert resolve_precision("auto", CPU).name == "fp32"
    assert resolve_precision("auto", GPU).name == "fp16"
    assert resolve_precision("amp", GPU).autocast
    assert resolve_precision("fp16", CPU).name == "fp32"
    assert "runs as fp32" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_the_nearest():
    for name in CHOICES:
        check_precision(name)
    with pytest.raises(UserError, match=r"PREC is 'fp61'.*fp16.*allowed are fp32, fp16"):
        resolve_precision("fp61", CPU)


@pytest.mark.parametrize("units, said", [(False, True), (True, False), (None, False)])
def test_bf16_without_units_for_it_is_said_to_be_slower(monkeypatch, capsys, units, said):
    monkeypatch.setattr(precision, "has_bf16_units", lambda: units)
    assert resolve_precision("bf16", GPU).name == "bf16"
    assert not capsys.readouterr().out
    assert resolve_precision("bf16", CPU).name == "bf16"
    out = capsys.readouterr().out
    assert (out.count("\n") == 1 and "slower than fp32 on this processor" in out) is said
    assert ("use PREC fp32" in out) is said
