"""``npt train --dry-run``: two steps, and what the whole run would learn, take and need."""

from __future__ import annotations

import datetime
import time
from typing import Any

from npt_plugin.datasets.class_counts import describe
from npt_plugin.engine.framework import build_trainer
from npt_plugin.sweep.pace import first_steps, one_test
from npt_plugin.system.memory import peak_memory
from npt_plugin.system.random_state import seed_everything
from npt_plugin.trainers.context import TextContext

STEPS = 2


def dry_run(cfg: Any) -> None:
    """Build the run, take two steps, print what it consists of; nothing is written.

    Args:
        cfg: The run's frozen config.
    """
    cfg = cfg.clone()
    cfg.defrost()
    cfg.OUTPUT_DIR = ""
    cfg.freeze()
    seed_everything(cfg)
    started = time.perf_counter()
    trainer = build_trainer(cfg)
    print(describe(trainer.dm.dataset))
    preparing = time.perf_counter() - started
    print(f"\n** Dry run of {cfg.TRAINER.NAME} on {cfg.DATASET.NAME} **")
    _print_learned(trainer)
    _print_prompts(trainer)
    per_step = 0.0
    if trainer.optim is not None:
        first_batch, per_step, said = first_steps(trainer, STEPS)
        for number, terms in enumerate(said, 1):
            values = ", ".join(f"{name} {value:.4f}" for name, value in terms.items())
            print(f"Step {number}: {values}")
        preparing += first_batch
    per_test, _ = one_test(trainer)
    loader = trainer.train_loader_x
    steps = getattr(loader, "steps", 0) or len(loader) * cfg.OPTIM.MAX_EPOCH
    if trainer.optim is None:
        steps = 0
    training, testing = per_step * steps, per_test * len(trainer.test_loader)
    print(f"Preparing (data, backbone, cached features): {_clock(preparing)}")
    print(f"Training: {steps} steps of {per_step:.3f} s, about {_clock(training)}")
    print(f"Testing: {len(trainer.test_loader)} batches, about {_clock(testing)}")
    print(f"Whole run: about {_clock(preparing + training + testing)}")
    used = ", ".join(f"{k.removesuffix('_mib')} {v:.0f} MiB" for k, v in peak_memory().items() if v)
    print(f"Memory: about {used} (the peak of these steps and this test batch)")
    print("Nothing was written.")


def _print_learned(trainer: Any) -> None:
    learned = trainer.model.learned()
    total = sum(p.numel() for p in learned.values())
    print(f"Learned parameters: {total:,} in {len(learned)} tensors")
    for name, parameter in learned.items():
        print(f"  {name:<48} {tuple(parameter.shape)}")


def _print_prompts(trainer: Any) -> None:
    """The class names as the prompts have them, and where learned vectors stand."""
    contexts = [m for m in trainer.model.modules() if isinstance(m, TextContext)]
    template = f"[{contexts[0].n_ctx} learned vectors] {{}}." if contexts else "{}"
    names = [name.replace("_", " ") for name in trainer.classnames]
    shown = [template.format(name) for name in names[:3]]
    more = f", ... {len(names)} classes" if len(names) > 3 else ""
    print(f"Prompts: {', '.join(shown)}{more}")


def _clock(seconds: float) -> str:
    return str(datetime.timedelta(seconds=round(seconds)))
