"""One step of several runs: who can take it together, and how near it is in single precision."""

import pytest
import torch
from double import replacements
from tolerance import float32_bound
from trainer_checks import learned

from npt_plugin.system import ranks
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS
from npt_plugin.trainers.shared_towers import SharedTowers
from npt_plugin.trainers.stacked_step import can_stack, runs_at_once, stack_key, take_steps
from npt_plugin.trainers.together import train_together, training

STACKED = {"CoOp", "NPT_CoOp", "CoCoOp", "NPT_CoCoOp", "KgCoOp", "NPT_KgCoOp"}


@pytest.fixture
def beside(make_trainer):
    """``beside("CoOp", "KEY", "value", seed=1)``: a trainer whose towers are the others'."""
    towers = SharedTowers()

    def make(name, *options, **more):
        trainer = make_trainer(name, *options, **more)
        towers.give(trainer.model)
        return trainer

    return make


def test_methods_whose_prompts_are_all_they_learn_can_stack():
    found = {**BASE_TRAINERS, **NPT_TRAINERS}.items()
    assert {name for name, kind in found if can_stack(kind.model_class)} == STACKED


def test_the_key_tells_what_cannot_pass_the_tower_together(beside, make_trainer, monkeypatch):
    keys = [
        stack_key(beside("CoOp", seed=1)),
        stack_key(beside("NPT_CoOp", "TRAINER.NPT.VERSION", "v2", seed=2)),
        stack_key(beside("CoOp", "TRAINER.COOP.N_CTX", "4")),
        stack_key(beside("CoOp", "DATASET.SUBSAMPLE_CLASSES", "all")),
        stack_key(beside("CoOp", "TRAINER.COOP.PREC", "bf16")),
        stack_key(make_trainer("CoOp")),  # another CLIP in memory
        stack_key(beside("MaPLe")),
        stack_key(beside("CoOp", "OPTIM.SAM.ENABLED", "True")),
    ]
    assert keys[0] == keys[1] and len(set(keys)) == 7
    monkeypatch.setattr(ranks, "alone", lambda: False)  # where gradients are averaged on the way
    pair = [beside("CoOp", seed=seed) for seed in (1, 2)]
    assert stack_key(pair[0]) != stack_key(pair[1])


def test_memory_is_divided_by_prompts(beside):
    batch = {"label": torch.zeros(4, dtype=torch.long)}
    for chunk, name, at_once in ((0, "CoOp", 2**30), (13, "CoOp", 4), (2, "CoOp", 1)):
        assert runs_at_once(beside(name, "MODEL.TEXT_CHUNK", str(chunk)), batch) == at_once
    assert runs_at_once(beside("CoCoOp", "MODEL.TEXT_CHUNK", "25"), batch) == 2  # 4 images each


def test_one_run_takes_its_own_step_bit_for_bit(make_trainer):
    trainers = [make_trainer("NPT_CoOp", seed=3) for _ in range(2)]
    batch = next(iter(trainers[0].train_loader_x))
    for trainer in trainers:
        trainer.set_model_mode("train")
    (outcome,) = take_steps([(trainers[0], batch)])
    assert torch.equal(outcome["loss"], trainers[1].forward_backward(batch)["loss"])
    a, b = map(learned, trainers)
    assert all(torch.equal(a[name], b[name]) for name in a)


WORDS = ("TRAINER.COOP.CTX_INIT", "a photo of a", "INPUT.TRANSFORMS", "(normalize,)")
"""No noise: what is drawn in float32 and in float64 are permutations alone."""


def test_in_single_precision_it_is_as_near_to_the_exact_run_as_the_run_alone(
    beside, make_trainer, tmp_path, monkeypatch
):
    runs, built = [("CoOp", 1), ("NPT_CoOp", 1), ("CoOp", 2)], []

    def life(name, seed):
        built.append(beside(name, *WORDS, seed=seed, output=tmp_path / "t" / f"{seed}{name}"))
        torch.manual_seed(seed)
        yield from training(built[-1])

    assert train_together([life(*run) for run in runs]) == [None] * 3

    def alone(name, seed, folder):
        trainer = make_trainer(name, *WORDS, seed=seed, output=tmp_path / folder / f"{seed}{name}")
        torch.manual_seed(seed)
        trainer.train()
        return learned(trainer)

    plain = [alone(*run, "plain") for run in runs]
    for owner, name, value in replacements():
        monkeypatch.setattr(owner, name, value)
    torch.set_default_dtype(torch.float64)
    try:
        exact = [alone(*run, "exact") for run in runs]
    finally:
        torch.set_default_dtype(torch.float32)
    for trainer, single, double in zip(built, plain, exact, strict=True):
        for name, mine in learned(trainer).items():
            assert double[name].dtype == torch.float64
            bound = float32_bound(single[name], double[name])
            assert float((mine.double() - double[name]).abs().max()) <= bound
            assert float((mine - single[name]).abs().max() / single[name].abs().max()) <= 1e-5
