import pytest
import torch

from npt_plugin.losses.class_means import ClassMeans, class_average, membership

pytestmark = pytest.mark.numerics

K, D = 4, 3
LABELS = torch.tensor([2, 0, 2])


def test_means_by_hand_and_absent_classes_are_zero():
    x = torch.tensor([[1.0, 2, 3], [4, 5, 6], [3, 4, 5]])
    means, present = class_average(x, LABELS, K)
    assert means.tolist() == [[4, 5, 6], [0, 0, 0], [2, 3, 4], [0, 0, 0]]
    assert present.tolist() == [1, 0, 1, 0]
    assert membership(LABELS, K, torch.float32).sum(0).tolist() == [1, 0, 2, 0]


def test_without_momentum_there_is_no_state():
    assert ClassMeans(K).state_dict() == {}


def test_bank_values_by_hand():
    bank = ClassMeans(2, momentum=0.75)
    first, known = bank(torch.tensor([[1.0]]), torch.tensor([0]))
    assert first.tolist() == [[1], [0]] and known.tolist() == [1, 0]
    second, known = bank(torch.tensor([[5.0]]), torch.tensor([0]))
    assert second.tolist() == [[2], [0]]  # 0.75 * 1 + 0.25 * 5
    third, known = bank(torch.tensor([[8.0]]), torch.tensor([1]))
    assert third.tolist() == [[2], [8]] and known.tolist() == [1, 1]


def test_gradient_is_that_of_the_batch_mean():
    bank = ClassMeans(K, momentum=0.9)
    bank(torch.randn(3, D), LABELS)
    x = torch.randn(3, D, requires_grad=True)
    means, _ = bank(x, LABELS)
    weights = torch.randn(K, D)
    (means * weights).sum().backward()
    expected = torch.stack([weights[2] / 2, weights[0], weights[2] / 2])
    assert torch.allclose(x.grad, expected)


def test_evaluation_and_no_grad_leave_the_bank_alone():
    bank = ClassMeans(K, momentum=0.5)
    with torch.no_grad():
        bank(torch.randn(3, D), LABELS)
    assert bank.bank.shape == (K, 0)
    bank(torch.randn(3, D), LABELS)
    before = bank.bank.clone()
    bank.eval()
    value, _ = bank(torch.ones(3, D), LABELS)
    with torch.no_grad():
        bank.train()(torch.ones(3, D), LABELS)
    assert torch.equal(bank.bank, before)
    assert torch.allclose(value[0], 0.5 * before[0] + 0.5)


def test_saved_and_loaded_it_continues_identically():
    torch.manual_seed(0)
    steps = [torch.randn(3, D) for _ in range(4)]
    straight, first, second = (ClassMeans(K, momentum=0.9) for _ in range(3))
    for x in steps:
        last, _ = straight(x, LABELS)
    for x in steps[:2]:
        first(x, LABELS)
    second.load_state_dict(first.state_dict())
    for x in steps[2:]:
        resumed, _ = second(x, LABELS)
    assert torch.equal(last, resumed)


def test_a_second_backward_is_not_disturbed_by_the_update():
    bank = ClassMeans(K, momentum=0.9)
    x = torch.randn(3, D, requires_grad=True)
    a, _ = bank(x, LABELS)
    b, _ = bank(x, LABELS)
    (a.square().sum() + b.square().sum()).backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_means_are_float32(dtype):
    means, _ = ClassMeans(K)(torch.ones(3, D, dtype=dtype), LABELS)
    assert means.dtype == torch.float32
