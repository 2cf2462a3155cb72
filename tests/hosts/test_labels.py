"""Labels are those of the rows that were encoded, or the run ends; they are never counted out."""

from __future__ import annotations

import edge_trainers
import pytest
import torch
from joint_loss import assert_close, expected, gradients
from reference_trainers import labelled_batch

from npt_plugin.errors import UserError
from npt_plugin.hosts.labels import (
    Parsed,
    asked,
    is_contrast,
    label_of_scores,
    labels_of,
    parsed_of,
)

K = 3
IMAGES, LABELS = torch.arange(24.0).view(4, 6), torch.tensor([2, 0, 1, 1])
BATCH = {"img": IMAGES, "label": LABELS, "index": torch.arange(4), "impath": ["a"] * 4}


def from_loader() -> list[Parsed]:
    found = parsed_of(BATCH, BATCH)
    assert found is not None
    return [found]


@pytest.mark.parametrize(
    "value, labels",
    [
        ((IMAGES, LABELS), LABELS),
        ((IMAGES, IMAGES + 1, LABELS), LABELS),
        ((IMAGES, LABELS, torch.zeros(4, dtype=torch.long)), LABELS),  # a domain, as in Dassl
        ((IMAGES, torch.arange(4), LABELS), LABELS),  # another number first
        ({"img": [IMAGES, IMAGES], "label": LABELS, "index": torch.arange(4)}, LABELS),
        ((IMAGES, torch.arange(4), torch.ones(4, dtype=torch.long)), None),  # two, neither known
        ((IMAGES, LABELS.float()), None),
        (LABELS, None),
        ((IMAGES[:3], LABELS), None),
        (None, None),
    ],
)
def test_what_a_parse_shows(value, labels) -> None:
    found = parsed_of(value, BATCH)
    assert found is None if labels is None else torch.equal(found.labels, labels)


def test_the_loss_decides_for_rows_nobody_parsed() -> None:
    targets = torch.tensor([0, 2, 2, 1])
    assert labels_of([IMAGES + 1], from_loader(), [targets], K) is targets
    assert labels_of([IMAGES + 1], from_loader(), [targets, targets.clone()], K) is targets


def test_the_parsed_images_decide_where_no_loss_does() -> None:
    assert torch.equal(labels_of([IMAGES.half()], from_loader(), [], K), LABELS)
    assert torch.equal(labels_of(list(IMAGES.split(3)), from_loader(), [], K), LABELS)
    twice = labels_of([IMAGES, IMAGES.clone()], from_loader(), [], K)
    assert torch.equal(twice, torch.cat([LABELS, LABELS]))


def test_counting_targets_are_contrast_and_not_classes() -> None:
    """As many rows as classes, so that only the numbers tell."""
    rows = torch.arange(4)
    assert torch.equal(labels_of([IMAGES], from_loader(), [rows], 4), LABELS)
    with pytest.raises(UserError, match="cannot tell the labels of the 4 rows"):
        labels_of([IMAGES + 1], from_loader(), [rows], 4)


def test_a_loss_for_each_call_labels_it() -> None:
    targets = [torch.tensor([0, 1]), torch.tensor([2, 2])]
    calls = [IMAGES[:2] + 1, IMAGES[2:] + 1]
    assert labels_of(calls, [], targets, K).tolist() == [0, 1, 2, 2]


@pytest.mark.parametrize(
    "inputs, targets",
    [
        ([torch.ones(8, 6)], [LABELS]),  # twice as many rows as labels
        ([IMAGES, IMAGES + 1], [LABELS]),  # a view of which nothing is known
        ([IMAGES + 1], [LABELS, LABELS.roll(1)]),  # two answers
        ([IMAGES + 1], []),
    ],
)
def test_what_is_not_tied_is_refused(inputs, targets) -> None:
    with pytest.raises(UserError, match=r"npt_labels\(self, batch\)"):
        labels_of(inputs, from_loader(), targets, K)


def test_disagreeing_parses_are_refused() -> None:
    parsed = [*from_loader(), Parsed((IMAGES,), LABELS.roll(1))]
    with pytest.raises(UserError, match="cannot tell"):
        labels_of([IMAGES], parsed, [], K)


@pytest.mark.parametrize("answer", [None, LABELS[:3], LABELS.float(), [1, 2, 3, 4]])
def test_a_hook_must_name_each_row(answer) -> None:
    with pytest.raises(UserError, match="one int64 label for each of the 4 rows"):
        asked(lambda batch: answer, BATCH, 4)


@pytest.mark.numerics
@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("name", ["Expanding", "Told"])
def test_an_enlarged_batch_has_the_labels_it_was_enlarged_with(make, name, size) -> None:
    """Of 1 the old rule made three rows of one label; of 2 it stopped."""
    trainer = make("", cls=getattr(edge_trainers, name))
    batch = labelled_batch(trainer, size)
    images, labels = edge_trainers.Expanding.enlarge(trainer, batch)
    assert len(images) > size
    wanted, _ = expected(trainer, {"img": images, "label": labels})
    trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)


@pytest.mark.numerics
def test_a_shuffled_batch_has_the_labels_of_its_loss(make) -> None:
    trainer = make("", cls=edge_trainers.Shuffling)
    batch = labelled_batch(trainer, 4)
    order = trainer.order(4)
    wanted, _ = expected(trainer, {"img": batch["img"][order], "label": batch["label"][order]})
    trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)


@pytest.mark.numerics
def test_a_host_without_a_classification_loss_has_the_labels_it_parsed(make) -> None:
    trainer = make("", cls=edge_trainers.Distilling)
    batch = labelled_batch(trainer, 4)
    wanted, _ = expected(trainer, batch)
    trainer.forward_backward(batch)
    assert_close(gradients(trainer), wanted)


def test_views_that_are_parsed_share_their_labels(make) -> None:
    trainer = make("", cls=edge_trainers.Views)
    batch = labelled_batch(trainer, 4)
    seen = []
    objective = trainer.npt_objective.forward
    trainer.npt_objective.forward = lambda outputs, labels: (
        seen.append(labels.tolist()),
        objective(outputs, labels),
    )[1]
    trainer.forward_backward(batch)
    assert seen == [batch["label"].tolist() * 2]


@pytest.mark.parametrize("name", ["Hidden", "SecretViews", "Mixing"])
def test_a_host_that_shows_no_labels_is_refused(make, name) -> None:
    trainer = make("", cls=getattr(edge_trainers, name))
    with pytest.raises(UserError, match="NPT cannot tell the labels of the"):
        trainer.forward_backward(labelled_batch(trainer, 4))


@pytest.mark.parametrize(
    "target, batch, contrast",
    [
        ([0, 1, 2], [2, 2, 0], True),
        ([0, 1, 2], [0, 1, 2], False),  # the labels themselves
        ([0, 2, 1], [2, 2, 0], False),
        ([0, 1], [2, 2], False),  # of 3 classes
    ],
)
def test_targets_that_count_rows_are_no_labels(target, batch, contrast):
    parsed = [Parsed((torch.ones(len(batch), 2),), torch.tensor(batch))]
    assert is_contrast(torch.tensor(target), parsed, 3) == contrast


def test_scores_have_the_labels_that_all_losses_name():
    labels = torch.tensor([1, 0])
    assert label_of_scores([labels, labels.clone()]) is labels
    with pytest.raises(UserError, match="told different ones"):
        label_of_scores([labels, labels + 1])
