"""What prompts have in common, and the split of their lengths against all possible splits."""

import pytest
import torch

from npt_plugin.backbone.prompt_layout import PromptLayout, common_start, split_lengths


def test_a_start_differing_in_one_vector_is_not_shared_beyond_it():
    ids, eot = torch.tensor([[1, 2, 3, 4, 5, 9], [1, 2, 3, 4, 6, 9]]), torch.tensor([5, 5])
    assert common_start(ids, eot) == 4
    assert common_start(ids[:1], eot[:1]) == 5  # a single class keeps its end of text apart
    assert common_start(ids[:, 1:], torch.tensor([1, 4])) == 0  # ends after 1 position: too short


def test_classes_go_by_length_and_find_their_way_back():
    ids = torch.arange(4).repeat_interleave(60).view(4, 60)
    ids[:, :6] = 7
    layout = PromptLayout(ids, torch.tensor([9, 50, 8, 51]))
    assert layout.shared == 6
    assert layout.by_length.tolist() == [2, 0, 1, 3] and layout.back.tolist() == [1, 2, 0, 3]
    assert layout.buckets == [(2, 10), (2, 52)]
    assert torch.equal(layout.by_length[layout.back], torch.arange(4))
    assert PromptLayout(ids, torch.tensor([9, 50, 8, 51]), share=False).shared == 0
    assert not layout.state_dict()  # follows from the names


@pytest.mark.parametrize("lengths", [[3] * 5, [1, 2, 3, 20, 21, 22], [2] * 40 + [9], [1, 70], [4]])
@pytest.mark.parametrize("cost", [0, 5, 32])
def test_split_lengths_is_the_cheapest_of_all_splits(lengths, cost):
    def price(runs):
        return sum(len(run) * run[-1] + cost for run in runs)

    def splits(values):
        yield [values]
        for i in range(1, len(values)):
            for rest in splits(values[i:]):
                yield [values[:i], *rest]

    few = lengths if len(lengths) < 12 else lengths[-8:]
    runs = split_lengths(few, cost)
    assert sum(n for n, _ in runs) == len(few)
    assert sum(n * length + cost for n, length in runs) == min(price(s) for s in splits(few))


def test_a_part_keeps_the_common_start_and_is_made_once():
    ids = torch.arange(4).repeat_interleave(60).view(4, 60)
    ids[:, :6] = 7
    layout = PromptLayout(ids, torch.tensor([9, 50, 8, 51]))
    part = layout.part(slice(1, 3))
    assert part.shared == 6 and part.eot.tolist() == [50, 8]
    assert part.by_length.tolist() == [1, 0] and part.buckets == [(1, 9), (1, 51)]
    assert layout.part(slice(1, 3)) is part and layout.part(slice(3, 4)) is not part
    assert not layout.state_dict()
