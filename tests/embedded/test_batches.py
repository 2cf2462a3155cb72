import numpy as np
import pytest
import torch

from npt_plugin.backbone.openai import MEAN, STD, byte_pairs
from npt_plugin.embedded.batches import BatchMaker, jitter_views, normalise, padded
from npt_plugin.embedded.textures import TEXTURE_NAMES
from npt_plugin.embedded.weights import END, START, known_token_ids


class Textures:
    """A corpus of 32 black pictures, said to show the 32 textures."""

    def __init__(self):
        self.asked = []

    def __len__(self):
        return 32

    def pictures(self, rows):
        self.asked.append(rows)
        return torch.zeros(len(rows), 48, 48, 3, dtype=torch.uint8)

    def facts(self, row):
        return np.array([1, -1, -1, row, -1, -1, 0])


def test_normalising_by_hand():
    images = torch.randint(0, 256, (2, 3, 3, 3), dtype=torch.uint8)
    out = normalise(images)
    assert out.shape == (2, 3, 3, 3) and out.dtype == torch.float32
    for channel, (mean, deviation) in enumerate(zip(MEAN, STD, strict=True)):
        value = (int(images[1, 0, 2, channel]) / 255 - mean) / deviation
        assert out[1, channel, 0, 2].item() == pytest.approx(value, abs=1e-5)  # 4 roundings


def test_jitter_changes_the_share_asked_for_and_follows_its_generator():
    images = torch.randn(10, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    out = jitter_views(images.clone(), np.random.default_rng(0), share=0.4)
    assert torch.equal(out[4:], images[4:])
    assert all(not torch.equal(a, b) for a, b in zip(out[:4], images[:4], strict=True))
    assert torch.equal(out, jitter_views(images.clone(), np.random.default_rng(0), share=0.4))
    assert torch.equal(jitter_views(images.clone(), np.random.default_rng(0), 0.0), images)


def test_jitter_shows_a_window_of_the_picture_upright_or_mirrored():
    ramp = torch.arange(8.0).expand(3, 8, 8)  # brighter to the right
    out = jitter_views(ramp.repeat(40, 1, 1, 1), np.random.default_rng(0), share=1.0)
    assert out.min() > -1e-4 and out.max() < 7 + 1e-4  # nothing from outside the picture
    slopes = (out[:, 0, 4, 6] - out[:, 0, 4, 2]) / 4
    assert ((slopes.abs() > 0.7) & (slopes.abs() < 1.001)).all()  # the zoom
    assert 8 < int((slopes < 0).sum()) < 32
    middles = out[:, 0, :, 3:5].mean(dim=(1, 2))  # windows lie on either side
    assert middles.min() < 3.3 and middles.max() > 3.7


def test_a_batch_says_what_its_pictures_show():
    batch = BatchMaker(Textures(), seed=0, wrong=0.0, filler=0.0).draw(40, reach=1.0)
    assert batch.images.shape == (40, 3, 48, 48) and batch.facts.shape == (40, 7)
    for facts, place in zip(batch.facts, batch.caption_of.tolist(), strict=True):
        assert TEXTURE_NAMES[int(facts[3])] in batch.texts[place]
    assert len(set(batch.texts)) == len(batch.texts) == len(batch.tokens)


def test_tokens_are_the_captions_in_the_compact_vocabulary():
    batch = BatchMaker(Textures(), seed=0).draw(20, reach=1.0)
    known = known_token_ids()
    for text, row, end in zip(batch.texts, batch.tokens, batch.ends.tolist(), strict=True):
        ids = [known[place] for place in row[: end + 1].tolist()]
        assert ids == [START, *byte_pairs().encode(text), END]
        assert not row[end + 1 :].any()
    assert (batch.ends.diff() >= 0).all()  # neighbours alike in length


def test_padding_by_hand():
    tokens, ends = padded([[5, 6, 7], [5, 7]])
    assert tokens.tolist() == [[5, 6, 7], [5, 7, 0]] and ends.tolist() == [2, 1]


def test_batches_follow_the_seed():
    def draw(seed):
        maker = BatchMaker(Textures(), seed)
        return [maker.draw(8, 1.0) for _ in range(2)]

    (a, b), (c, d), (e, _) = draw(1), draw(1), draw(2)
    assert a.texts == c.texts and b.texts == d.texts
    assert torch.equal(a.images, c.images) and torch.equal(b.facts, d.facts)
    assert not torch.equal(a.facts, b.facts) and not torch.equal(a.facts, e.facts)


def test_reach_leaves_the_later_pictures_out():
    corpus = Textures()
    BatchMaker(corpus, 0).draw(200, reach=0.25)
    assert set(corpus.asked[0]) == set(range(8))
    BatchMaker(corpus, 0).draw(5, reach=0.0)
    assert set(corpus.asked[1]) == {0}  # never empty


def test_wrong_captions_and_filler_have_the_share_asked_for():
    maker = BatchMaker(Textures(), 0, wrong=1.0, filler=0.0)
    batch = maker.draw(400, 1.0)
    names = [TEXTURE_NAMES[int(facts[3])] for facts in batch.facts]
    right = sum(n in batch.texts[i] for n, i in zip(names, batch.caption_of.tolist(), strict=True))
    assert right < 40  # by chance one in 32
    filled = BatchMaker(Textures(), 0, wrong=0.0, filler=1.0).draw(400, 1.0)
    longer = [len(filled.texts[i].split()) > 7 for i in filled.caption_of.tolist()]
    assert 0.25 < np.mean(longer) < 0.6  # half of them, by 1 to 14 words


def test_the_memo_of_tokens_is_emptied_when_it_is_full():
    maker = BatchMaker(Textures(), 0)
    maker._memo = dict.fromkeys(map(str, range(200_001)), [])
    maker.draw(2, 1.0)
    assert len(maker._memo) <= 2
