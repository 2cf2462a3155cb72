"""How many prompts fit: the estimate against what autograd keeps, and what the machine says."""

import pytest
import torch
from memory import kept_bytes

import npt_plugin.backbone.text_chunks as text_chunks
from npt_plugin.backbone.prompt_layout import PromptLayout
from npt_plugin.errors import UserError

CPU = torch.device("cpu")


def test_automatic_chunk_follows_the_free_memory(small_clip, monkeypatch):
    blocks = small_clip.text_tower().blocks
    each = text_chunks.bytes_per_prompt(blocks, 6, 10, 4)
    assert each > 2 * 6 * 14 * 64 * 4 * 0.99
    for free, expected in ((200 * each, 100), (each, 16), (None, 0)):
        monkeypatch.setattr(text_chunks, "free_bytes", lambda device, free=free: free)
        assert text_chunks.automatic_chunk(blocks, 6, 10, 4, CPU) == expected


def test_it_is_decided_once(small_clip, monkeypatch):
    tower = small_clip.text_tower(text_chunks.AUTOMATIC)
    tower(torch.randn(3, 8, 64), torch.tensor([7, 7, 7]))
    assert tower.chunk >= 16
    before = tower.chunk
    monkeypatch.setattr(text_chunks, "free_bytes", lambda device: 0)
    tower(torch.randn(3, 8, 64), torch.tensor([7, 7, 7]))
    assert tower.chunk == before


def test_a_cpu_says_what_is_free_within_the_limit_of_its_group(monkeypatch):
    assert text_chunks.free_bytes(CPU) > 1 << 20
    monkeypatch.setattr(text_chunks, "_group_limit", lambda otherwise: 12345)
    assert text_chunks.free_bytes(CPU) == 12345


def test_the_estimate_of_a_prompt_is_near_what_is_kept(small_clip):
    prompts, eot = torch.randn(40, 12, 64), torch.full((40,), 11)
    prompts[:, :6] = prompts[:1, :6]
    layout = PromptLayout(torch.cat([torch.zeros(40, 6), torch.rand(40, 6)], 1), eot)
    assert layout.shared == 6
    prompts.requires_grad_()
    tower = small_clip.text_tower()
    size, _ = kept_bytes(lambda: tower(prompts, eot, layout=layout))
    size -= sum(p.nbytes for p in small_clip.model.transformer.parameters())
    estimate = 40 * text_chunks.bytes_per_prompt(tower.blocks, 6, 12, 4)
    assert 0.4 * estimate < size < 1.3 * estimate


def test_an_impossible_chunk_is_refused_by_name():
    with pytest.raises(UserError, match="MODEL.TEXT_CHUNK is -2; use the number of classes"):
        text_chunks.check_text_chunk(-2)
    for value in (-1, 0, 5):
        text_chunks.check_text_chunk(value)
