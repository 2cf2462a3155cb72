import numpy as np
import pytest
import torch

from npt_plugin.embedded import corpus
from npt_plugin.embedded.corpus import Corpus, LazyCorpus


def test_lazy_corpus_is_the_same_world():
    whole, lazy = Corpus(2, 30, workers=0), LazyCorpus(2, 30)
    rows = np.array([4, 29, 4])
    assert np.array_equal(whole.pictures(rows).numpy(), lazy.pictures(rows).numpy())
    assert all(np.array_equal(whole.facts(row), lazy.facts(row)) for row in range(30))
    assert len(whole) == len(lazy) == 30
    assert whole.facts(0).dtype == lazy.facts(0).dtype == np.int64


@pytest.mark.parametrize("chunk, workers", [(4, 0), (3, 2)])
def test_neither_chunks_nor_processes_change_the_pictures(monkeypatch, chunk, workers):
    whole = Corpus(1, 10, workers=0)
    monkeypatch.setattr(corpus, "_CHUNK", chunk)
    again = Corpus(1, 10, workers=workers)
    assert torch.equal(whole.images, again.images)
    assert torch.equal(whole.all_facts, again.all_facts)


def test_a_lazy_corpus_draws_a_picture_once(monkeypatch):
    drawn = []
    real = corpus.draw_many

    def counting(seed, start, stop, total):
        drawn.append(start)
        return real(seed, start, stop, total)

    monkeypatch.setattr(corpus, "draw_many", counting)
    lazy = LazyCorpus(0, 100)
    lazy.pictures(np.array([7, 7, 50]))
    lazy.facts(7)
    assert drawn == [7, 50]
