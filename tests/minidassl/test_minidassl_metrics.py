import pytest
import torch
from minidassl.metrics import compute_accuracy, compute_distance_matrix


def test_accuracy_by_hand():
    scores = torch.tensor([[3.0, 2, 1], [1, 3, 2], [1, 3, 2], [1, 2, 3]])
    labels = torch.tensor([0, 2, 1, 0])
    top1, top2, top3 = compute_accuracy(scores, labels, topk=(1, 2, 3))
    assert (top1.item(), top2.item(), top3.item()) == (50.0, 75.0, 100.0)
    assert top1.shape == (1,)
    assert compute_accuracy((scores, None), labels)[0].item() == 50.0


def test_distances_against_loops():
    torch.manual_seed(0)
    a, b = torch.randn(4, 6), torch.randn(3, 6)
    squared, angular = torch.empty(4, 3), torch.empty(4, 3)
    for i in range(4):
        for j in range(3):
            squared[i, j] = ((a[i] - b[j]) ** 2).sum()
            angular[i, j] = 1 - a[i] @ b[j] / (a[i].norm() * b[j].norm())
    torch.testing.assert_close(compute_distance_matrix(a, b), squared)
    torch.testing.assert_close(compute_distance_matrix(a, b, "cosine"), angular)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="manhattan"):
        compute_distance_matrix(torch.ones(1, 2), torch.ones(1, 2), "manhattan")
    with pytest.raises(AssertionError, match=r"\(1, 2\) and \(1, 3\)"):
        compute_distance_matrix(torch.ones(1, 2), torch.ones(1, 3))
