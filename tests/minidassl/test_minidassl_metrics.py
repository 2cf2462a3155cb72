import torch
from minidassl.metrics import compute_accuracy


def test_accuracy_by_hand():
    scores = torch.tensor([[3.0, 2, 1], [1, 3, 2], [1, 3, 2], [1, 2, 3]])
    labels = torch.tensor([0, 2, 1, 0])
    top1, top2, top3 = compute_accuracy(scores, labels, topk=(1, 2, 3))
    assert (top1.item(), top2.item(), top3.item()) == (50.0, 75.0, 100.0)
    assert top1.shape == (1,)
    assert compute_accuracy((scores, None), labels)[0].item() == 50.0
