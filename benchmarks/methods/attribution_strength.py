"""How strong a term of weight 1 is: its gradient on the prompts beside cross-entropy's.

Measured at the points that plain CoOp passes on the tuning data, the first 60 steps of a run on
each: all forms are looked at in the same places. Mean norm of the term's gradient over mean norm of
cross-entropy's. A pair's number is the norm of the sum of both parts, each at strength 1: below 2
where they pull elsewhere.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from contextlib import closing
from itertools import islice, product
from typing import Any

import torch
from attribution_plan import NOTHING, PAIRS, RATIOS, SINGLES
from one_run import job_of
from plan import TUNING_DATASETS, TUNING_SEEDS, Method, Run
from torch import Tensor

from npt_plugin.engine.framework import build_trainer
from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.settings import build_cfg
from npt_plugin.system.random_state import seed_everything
from npt_plugin.trainers.together import training

STEPS = 60


def measured(root: str) -> dict[float, dict[str, float]]:
    """Strength by ratio and form's name.

    Args:
        root: Folder of the drawn datasets.
    """
    register_all(base=True)
    found = {}
    for ratio in RATIOS:
        steps: list[dict[str, Tensor]] = []
        for dataset, seed in product(TUNING_DATASETS, TUNING_SEEDS[:1]):
            steps += gradients_along(root, dataset, ratio, seed)
        found[ratio] = strengths(steps)
        print(ratio, found[ratio], flush=True)
    return found


def gradients_along(root: str, dataset: str, ratio: float, seed: int) -> list[dict[str, Tensor]]:
    """Gradients on the prompts of each form of weight 1 and of "ce", at each step of CoOp."""
    with tempfile.TemporaryDirectory() as output:

        def built(method: Method) -> Any:
            job = job_of(Run(method, dataset, ratio, "epochs", seed), root, output)
            cfg = build_cfg(job.steps(["train"])[0].request(configs_folder()))
            seed_everything(cfg)
            return build_trainer(cfg)

        ones = {form.name: Method(form.name, "CoOp", form.trainer, unit(form)) for form in SINGLES}
        objectives = {name: built(method).objective for name, method in ones.items()}
        steps = []
        with closing(training(built(NOTHING))) as life:
            for trainer, batch in islice(life, STEPS):
                steps.append(gradients(trainer, batch, objectives))
                trainer.log.step_done(trainer.forward_backward(batch))
    return steps


def unit(form: Any) -> tuple[str, ...]:
    """A single form's options with weight 1."""
    ((key, _),) = form.weights
    return (*form.options, key, "1.0")


def gradients(trainer: Any, batch: Any, objectives: dict[str, Any]) -> dict[str, Tensor]:
    """Flat gradients of one batch, by name."""
    seen, learned = trainer.on_device(batch), list(trainer.model.learned().values())
    outputs = trainer.encode(seen)
    terms = {"ce": trainer.classification_loss(outputs.logits, seen["label"])}
    for name, objective in objectives.items():
        (terms[name],) = objective(outputs, seen["label"]).values()
    return {name: _flat(term, learned) for name, term in terms.items()}


def _flat(term: Tensor, learned: list[Tensor]) -> Tensor:
    parts = torch.autograd.grad(term, learned, retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


def strengths(steps: list[dict[str, Tensor]]) -> dict[str, float]:
    """Mean norms over that of cross-entropy; of pairs, of their parts' sum at strength 1 each."""
    norms = defaultdict(list)
    for step in steps:
        for name, gradient in step.items():
            norms[name].append(float(gradient.norm()))
    mean = {name: sum(values) / len(values) for name, values in norms.items()}
    found = {form.name: mean[form.name] / mean["ce"] for form in SINGLES}
    for pair in PAIRS:
        parts = [part for _, part in pair.weights]
        sums = [sum(step[p] / found[p] for p in parts).norm() for step in steps]
        found[pair.name] = float(sum(sums)) / len(sums) / mean["ce"]
    return found
