"""Options that bound memory: the same numbers with each of them."""

import pytest
import torch

import npt_plugin.backbone.text_chunks as text_chunks
from npt_plugin.errors import UserError


def step_gradients(trainer, batch):
    terms, outputs = trainer.losses(*trainer.parse_batch_train(batch))
    parameters = trainer.model.learned()
    found = torch.autograd.grad(sum(terms.values()), list(parameters.values()))
    return outputs.logits, dict(zip(parameters, found, strict=True))


@pytest.mark.parametrize(
    "name", ["NPT_MaPLe", "NPT_VPT", "NPT_IVLP", "NPT_CoCoOp", "NPT_CoOp", "Decoder", "GNM_PT"]
)
@pytest.mark.parametrize(
    "options", [("TRAIN.ACCUMULATE", "3"), ("TRAIN.ACCUMULATE", "9"), ("MODEL.TEXT_CHUNK", "2")]
)
def test_gradients_of_a_step_are_those_of_the_whole_batch(make_trainer, name, options):
    """With NPT's terms, which are not a mean over images."""
    still = ("MODEL.TEXT_CHUNK", "0", "TRAINER.GNM_PT.DROPOUT", "0.")
    plain = make_trainer(name, *still)
    batch = next(iter(plain.train_loader_x))
    ours = make_trainer(name, *still, *options)
    (logits, expected), (same, found) = step_gradients(plain, batch), step_gradients(ours, batch)
    torch.testing.assert_close(same, logits, rtol=1e-5, atol=1e-5)
    largest = max(gradient.abs().max() for gradient in expected.values())
    for key, gradient in expected.items():
        assert (found[key] - gradient).abs().max() <= 1e-5 * largest, key


def kept_bytes(function):
    """Bytes autograd keeps for backward while ``function`` runs."""
    kept = {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = function()
    return sum(kept.values()), result


@pytest.mark.parametrize(
    "name, options",
    [
        ("MaPLe", ("TRAIN.ACCUMULATE", "4")),
        ("CoCoOp", ("MODEL.TEXT_CHUNK", "3")),
        ("CoOp", ("MODEL.TEXT_CHUNK", "1")),
    ],
)
def test_less_is_kept_for_backward(make_trainer, name, options):
    sizes = []
    for more in ((), options):
        trainer = make_trainer(name, "MODEL.TEXT_CHUNK", "0", *more)
        frozen = sum(p.nbytes for p in trainer.model.parameters() if not p.requires_grad)
        batch = next(iter(trainer.train_loader_x))
        with torch.device("cpu"):
            size, kept = kept_bytes(lambda t=trainer, b=batch: t.losses(*t.parse_batch_train(b)))
        sizes.append(size)
        assert frozen and kept
    assert sizes[1] < sizes[0]


def test_automatic_chunk_follows_the_free_memory(make_trainer, monkeypatch):
    trainer = make_trainer("CoOp")
    tower, transformer = trainer.model.text_encoder, trainer.model.text_encoder.transformer
    assert tower.chunk == -1
    each = text_chunks.bytes_per_prompt(transformer, 6, 10, 4)
    assert each > 2 * 6 * 14 * 64 * 4 * 0.99
    cpu = torch.device("cpu")
    monkeypatch.setattr(text_chunks, "free_bytes", lambda device: 200 * each)
    assert text_chunks.automatic_chunk(transformer, 6, 10, 4, cpu) == 100
    monkeypatch.setattr(text_chunks, "free_bytes", lambda device: each)
    assert text_chunks.automatic_chunk(transformer, 6, 10, 4, cpu) == 16
    monkeypatch.setattr(text_chunks, "free_bytes", lambda device: None)
    assert text_chunks.automatic_chunk(transformer, 6, 10, 4, cpu) == 0
    monkeypatch.undo()
    assert text_chunks.free_bytes(cpu) > 1 << 20
    trainer.model.text_features()
    assert tower.chunk > 16  # decided once


def test_the_estimate_of_a_prompt_is_near_what_is_kept(small_clip):
    from npt_plugin.backbone.prompt_layout import PromptLayout
    from npt_plugin.backbone.text_tower import TextTower

    prompts, eot = torch.randn(40, 12, 64), torch.full((40,), 11)
    prompts[:, :6] = prompts[:1, :6]
    layout = PromptLayout(torch.cat([torch.zeros(40, 6), torch.rand(40, 6)], 1), eot)
    assert layout.shared == 6
    prompts.requires_grad_()
    tower = TextTower(small_clip)
    size, _ = kept_bytes(lambda: tower(prompts, eot, layout=layout))
    size -= sum(p.nbytes for p in small_clip.transformer.parameters())
    estimate = 40 * text_chunks.bytes_per_prompt(small_clip.transformer, 6, 12, 4)
    assert 0.4 * estimate < size < 1.3 * estimate


@pytest.mark.parametrize("key, value", [("MODEL.TEXT_CHUNK", "-2"), ("TRAIN.ACCUMULATE", "0")])
def test_impossible_values_are_refused_by_name(make_trainer, key, value):
    with pytest.raises(UserError, match=f"{key} is {value}"):
        make_trainer("CoOp", key, value)
