"""FineTune: the towers of CLIP learn, wholly or a little, under any head of ours."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor

from npt_plugin.errors import UserError
from npt_plugin.optim.averaged import AveragedWeights
from npt_plugin.system.options import in_range, one_of
from npt_plugin.trainers.headed import HeadTrainer
from npt_plugin.trainers.tuned import FineTunedCLIP
from npt_plugin.tuning.inside import chosen_maps
from npt_plugin.tuning.layer_rates import layer_rates
from npt_plugin.tuning.methods import FORMS, METHODS

TOWERS = ("image", "text", "both")
"""Values of ``TRAINER.FINE_TUNE.TOWERS``."""

_NODE = "TRAINER.FINE_TUNE"
_EXACT = ("fp32", "amp")
"""Precisions in which CLIP's weights are float32: in halves small steps would vanish."""
_BESIDE = (*_EXACT, "fp16", "bf16")
"""Those of modules beside the weights, which are float32 whatever the towers are."""


class FineTune(HeadTrainer):
    """Fine-tuning of CLIP: all weights, some of them, or small modules in the blocks.

    ``TRAINER.FINE_TUNE.METHOD`` names the published form; each says its source where it is
    written, in ``npt_plugin/tuning``. What is tested and saved is the average over steps where
    ``EMA`` asks for one.

    Sources: full fine-tuning beside prompts, Wang et al., IJCV 2023, arXiv:2304.01457; light
    fine-tuning with a head from text, LIFT, Shi et al., ICML 2024, arXiv:2309.10019.
    """

    model_class = FineTunedCLIP
    model: FineTunedCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse methods, towers and precisions that do not exist or do not go together."""
        super().check_cfg(cfg)
        node = cfg.TRAINER.FINE_TUNE
        method = METHODS[one_of(f"{_NODE}.METHOD", node.METHOD, METHODS)]
        one_of(f"{_NODE}.ADAPTFORMER_FORM", node.ADAPTFORMER_FORM, FORMS)
        chosen_maps(node.LORA_MAPS)
        in_range(f"{_NODE}.LAYER_DECAY", node.LAYER_DECAY, 1e-6, 1)
        if in_range(f"{_NODE}.EMA", node.EMA, 0, 1 - 1e-9) and cfg.TRAIN.AVERAGE:
            raise UserError(
                f"{_NODE}.EMA is {node.EMA} and TRAIN.AVERAGE is {cfg.TRAIN.AVERAGE!r}, two "
                "averages of the same weights: set EMA to 0, or TRAIN.AVERAGE to ''."
            )
        one_of(f"{_NODE}.PREC", node.PREC, _EXACT if method.own_weights else _BESIDE)
        if one_of(f"{_NODE}.TOWERS", node.TOWERS, TOWERS) == "image":
            return
        if cfg.TRAINER.HEAD.NAME != "text" or node.FEATURE != "projected":
            raise UserError(
                f"{_NODE}.TOWERS is {node.TOWERS!r}, but classes are named by "
                f"TRAINER.HEAD.NAME {cfg.TRAINER.HEAD.NAME} on FEATURE {node.FEATURE}, which the "
                "text tower does not reach: use HEAD.NAME text with FEATURE projected, or TOWERS "
                "image."
            )

    def build_model(self) -> None:
        """Build as always; then the average of what learns."""
        self.ema: AveragedWeights | None = None
        super().build_model()
        decay = self.cfg.TRAINER.FINE_TUNE.EMA
        if decay:
            self.ema = AveragedWeights(self.model.learned().values(), decay)

    def parameter_groups(self) -> list[dict[str, Any]] | None:
        """Learning rates by layer where ``LAYER_DECAY`` asks for them."""
        decay = self.cfg.TRAINER.FINE_TUNE.LAYER_DECAY
        if decay == 1:
            return None
        learned, rate = self.model.learned().values(), self.cfg.OPTIM.LR
        return layer_rates(learned, self.model.places, rate, decay)

    def forward_backward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """One optimiser step, and one of the average."""
        summary = super().forward_backward(batch)
        if self.ema is not None:
            self.ema.update()
        return summary

    def tested_weights(self) -> AbstractContextManager[None]:
        """Inside, the weights are the averages."""
        return nullcontext() if self.ema is None else self.ema.in_place()

    def load_model(self, directory: str, epoch: int | None = None) -> None:
        """Load learned tensors; they are averages already."""
        super().load_model(directory, epoch)
        self.ema = None
