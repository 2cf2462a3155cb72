"""Runs that train in one pass: their prompts go through one frozen text tower together.

Each run is an ordinary trainer with its own batches, random state, losses, optimiser, log, record
and checkpoints. They take their steps at the same time, and what is computed for all of them at
once is the text tower alone: each run is a group of its prompts. A sum over many rows may round
otherwise than over few, so a run agrees with the same run alone to rounding, not bit for bit.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from contextlib import closing, suppress
from typing import Any, TypeAlias

from npt_plugin.system.worlds import World
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.stacked_step import Outcome, runs_at_once, stack_key, take_steps

Life: TypeAlias = Generator[tuple[PromptTrainer, dict[str, Any]], None, None]
"""A run from its start to its end; for each batch it yields, somebody else takes the step."""


def training(trainer: PromptTrainer) -> Life:
    """Dassl's ``train`` but for the steps."""
    trainer.before_train()
    for epoch in range(trainer.start_epoch, trainer.max_epoch):
        trainer.epoch = epoch
        trainer.before_epoch()
        with closing(trainer.batches()) as batches:
            for batch in batches:
                yield trainer, batch
        trainer.after_epoch()
    trainer.after_train()


def train_together(lives: Sequence[Life]) -> list[Exception | None]:
    """Lead runs to their ends; one that fails leaves the others alone.

    Args:
        lives: The runs, not yet begun.

    Returns:
        What ended each of them; None: it has completed.

    Raises:
        BaseException: What is no ``Exception``, such as a signal to stop, ends all of them.
    """
    outside, companions = World(), [Companion(life) for life in lives]
    try:
        going = [one for one in companions if one.goes_on()]
        while going:
            going = _lockstep(going)
    except BaseException as stop:
        for one in companions:
            one.end(stop)
        raise
    finally:
        outside.restore()
    return [one.error for one in companions]


def _lockstep(going: list[Companion]) -> list[Companion]:
    """Step until a run has ended; returns those that have not."""
    stacks, left = stacks_of(going), going
    for stack in stacks:
        for one in stack:
            one.trainer.time_share, one.trainer.stack = 1 / len(going), len(stack)
    while len(left) == len(going):
        for stack in stacks:
            _step(stack)
        left = [one for one in going if one.goes_on()]
    return left


def _step(stack: Sequence[Companion]) -> None:
    outcomes = take_steps([(one.trainer, one.batch) for one in stack])
    for one, outcome in zip(stack, outcomes, strict=True):
        one.outcome = outcome


class Companion:
    """One of the runs.

    Args:
        life: It.

    Attributes:
        trainer, batch: Once it has gone on: its trainer, and the batch whose step is due.
        outcome: Of the last step.
        error: What has ended it before its end.
    """

    trainer: PromptTrainer
    batch: dict[str, Any]

    def __init__(self, life: Life) -> None:
        self.world, self._life = World(), life
        self.outcome: Outcome | None = None
        self.error: Exception | None = None

    def goes_on(self) -> bool:
        """Log the step and go to the next batch; False if there is none."""
        try:
            with self.world.entered():
                found = self._next()
        except Exception as error:
            self.error = error
            return False
        if found is None:
            return False
        self.trainer, self.batch = found
        return True

    def end(self, why: BaseException) -> None:
        """Stop where it stands; nothing happens if it has ended."""
        with self.world.entered(), suppress(BaseException):
            self._life.throw(why)

    def _next(self) -> tuple[PromptTrainer, dict[str, Any]] | None:
        try:
            if isinstance(self.outcome, Exception):
                raise self.outcome
            if self.outcome is not None:
                self.trainer.log.step_done(self.outcome)
        except Exception as error:
            self._life.throw(error)  # which comes back
        return next(self._life, None)


def stacks_of(companions: Sequence[Companion]) -> list[list[Companion]]:
    """Who passes the text tower together."""
    alike: dict[Hashable, list[Companion]] = {}
    for one in companions:
        alike.setdefault(stack_key(one.trainer), []).append(one)
    stacks = []
    for some in alike.values():
        number = -(-len(some) // runs_at_once(some[0].trainer, some[0].batch)) if some[1:] else 1
        stacks += [some[i::number] for i in range(number)]  # even ones
    return stacks
