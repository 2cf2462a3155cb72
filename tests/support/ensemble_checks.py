"""What tests of ensembles ask of a trainer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from npt_plugin.trainers.ensembles import ensemble_logits
from npt_plugin.trainers.evaluate import collect_outputs


def ensembles_of(trainer: Any) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor]]:
    """Name to mean logits of what ``TEST.ENSEMBLE`` names; plain logits and image features."""

    def collect(loader: Any) -> tuple[Tensor, Tensor]:
        logits, _, features, _ = collect_outputs(trainer, loader, None)
        return logits, features

    trainer.set_model_mode("eval")
    with torch.inference_mode():
        plain = collect(trainer.test_loader)
        return dict(ensemble_logits(trainer, trainer.test_loader, collect, plain)), plain
