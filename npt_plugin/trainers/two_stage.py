"""TwoStage: cRT, LWS, DisAlign or MARC on a finished run of any trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import PromptOutputs, normalize
from npt_plugin.errors import UserError
from npt_plugin.heads.second_stage import TWO_STAGE, Retraining
from npt_plugin.system.options import one_of
from npt_plugin.trainers.base import PromptTrainer
from npt_plugin.trainers.first_stage import load_first_stage, open_first_stage
from npt_plugin.trainers.model import PromptedCLIP

_DIGEST = "first_stage"
"""Checkpoint key: which first stage this second stage was trained on."""


class TwoStageCLIP(PromptedCLIP):
    """A frozen first stage, and a correction of its logits that learns.

    Attributes:
        first: Stage one's ``PromptedCLIP``, always in eval mode.
        second: The correction, on (features, logits) of stage one.
    """

    prec_node = "TWO_STAGE"
    checkpoint_name = "second_stage"

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        self.first, self.digest = load_first_stage(cfg, classnames, clip_model)
        self.feature_kind = self.first.feature_kind
        self.features_are_clips = self.first.features_are_clips
        if self.first.learns_image_side:  # these features are of this first stage alone
            self.feature_kind = f"first stage, {self.feature_kind}"
        with torch.no_grad():
            rows = self.first.classifier_rows()  # (K, D)
        method = TWO_STAGE[cfg.TRAINER.TWO_STAGE.METHOD]
        self.second = method.build(rows.float(), self.first.head_scale or 0.0)
        self.text: Tensor | None = None
        # cRT's new head does not, whatever stage one's text did
        self.text_depends_on_image = self.first.text_depends_on_image and self._rows is None

    def image_features(self, images: Tensor) -> Tensor:
        """Features (B, D) of images (B, 3, H, W) as stage one's head sees them."""
        with torch.no_grad():
            return self.first.image_features(images)

    @property
    def at_once(self) -> int:
        """Of stage one."""
        return self.first.at_once

    def classify(self, features: Tensor, text: Tensor | None = None) -> PromptOutputs:
        """Classify by stage one, without a graph, and correct its logits.

        Args:
            features: (B, D) of stage one.
            text: Not used: stage one's text features never change and are kept here.
        """
        with torch.no_grad():
            first = self.first.classify(features, self._first_text())
        logits = self.second(features.float(), first.logits.float())  # (B, K)
        rows = first.text_features if self._rows is None else normalize(self._rows)
        return PromptOutputs(logits, first.image_features, rows)

    @property
    def image_side(self) -> nn.Module:
        """Stage one's image tower, or all of stage one where prompts are in the tower."""
        return self.first if self.first.learns_image_side else self.first.image_side

    def rows_of_text(self, text: Tensor) -> Tensor:
        """As stage one has them."""
        return self.first.rows_of_text(text)

    def text_features(self) -> Tensor:
        """Unit-norm class vectors (K, D): the new head's under cRT, otherwise stage one's."""
        rows = self._first_text() if self._rows is None else normalize(self._rows)
        return rows  # type: ignore[return-value]  # None only where text_depends_on_image

    @property
    def head_scale(self) -> float | None:
        """s of the new head under cRT, otherwise of stage one's."""
        if isinstance(self.second, Retraining):
            return self.second.logit_scale or None
        return self.first.head_scale

    def export_obstacle(self) -> str:
        """A correction of logits is more than one feature per class."""
        return "a second stage corrects its logits"

    def train(self, mode: bool = True) -> TwoStageCLIP:
        """Switch the second stage's mode; the first stays in eval."""
        super().train(mode)
        self.first.eval()
        return self

    def checkpoint_state(self) -> dict[str, Tensor]:
        """The second stage's tensors, and the digest of the first stage they belong to."""
        return {**super().checkpoint_state(), _DIGEST: self.digest.clone()}

    def load_checkpoint_state(self, state: Mapping[str, Tensor], source: str) -> list[str]:
        """Copy the second stage's tensors from a checkpoint.

        Raises:
            UserError: As in the base; and if stage one is no longer what it was.
        """
        if _DIGEST in state and not torch.equal(state[_DIGEST].cpu(), self.digest):
            raise UserError(
                f"{source} was trained on another first stage than the one in "
                "TRAINER.TWO_STAGE.RUN now: give that run, or train the second stage again."
            )
        return super().load_checkpoint_state(state, source)

    @property
    def _rows(self) -> Tensor | None:
        """Rows (K, D) of cRT's new head; None for corrections of stage one's logits."""
        return self.second.classifier.weight if isinstance(self.second, Retraining) else None

    def _first_text(self) -> Tensor | None:
        """Stage one's text features (K, D), computed once; None where each image has its own."""
        if self.text is None and not self.first.text_depends_on_image:
            # not an inference tensor, which training could not use
            with torch.inference_mode(False), torch.no_grad():
                self.text = self.first.text_features()
        return self.text


class TwoStage(PromptTrainer):
    """Second-stage re-balancing of a finished run.

    ``TRAINER.TWO_STAGE.RUN`` is frozen; only the method's own parameters learn, with the loss and
    sampling the method asks for: cRT and LWS cross-entropy on classes drawn with equal probability
    (with replacement), DisAlign and MARC GRW on images drawn as they are. A
    ``TRAINER.IMBALANCE_LOSS.NAME`` other than ``ce``, or a ``TRAINER.TWO_STAGE.SAMPLER``, is used
    instead.

    Sources: Kang et al. 2020, arXiv:1910.09217 (cRT, LWS); Zhang et al. 2021, arXiv:2103.16370
    (DisAlign); Wang et al. 2022, arXiv:2112.07225 (MARC).
    """

    model_class = TwoStageCLIP

    def check_cfg(self, cfg: Any) -> None:
        """Refuse an unknown method, or a first stage that is not there."""
        super().check_cfg(cfg)
        one_of("TRAINER.TWO_STAGE.METHOD", cfg.TRAINER.TWO_STAGE.METHOD, TWO_STAGE)
        open_first_stage(cfg)

    def build_data_loader(self) -> None:
        """Loaders with the second stage's sampler; the recorded config stays the user's."""
        node = self.cfg.TRAINER.TWO_STAGE
        balanced = TWO_STAGE[node.METHOD].balanced_sampling
        sampler = node.SAMPLER or ("ClassBalancedSampler" if balanced else "")
        own = self.cfg
        if sampler:
            self.cfg = _with(own, ["DATALOADER.TRAIN_X.SAMPLER", sampler])
        loss = self.loss_cfg().TRAINER.IMBALANCE_LOSS.NAME
        drawn = self.cfg.DATALOADER.TRAIN_X.SAMPLER
        print(f"Second stage {node.METHOD} on {node.RUN}: loss {loss}, sampler {drawn}")
        super().build_data_loader()
        self.cfg = own

    def loss_cfg(self) -> Any:
        """The run's config with the method's loss where the user named none."""
        if self.cfg.TRAINER.IMBALANCE_LOSS.NAME != "ce":
            return self.cfg
        loss = TWO_STAGE[self.cfg.TRAINER.TWO_STAGE.METHOD].loss
        return _with(self.cfg, ["TRAINER.IMBALANCE_LOSS.NAME", loss])


def _with(cfg: Any, options: list[Any]) -> Any:
    """A frozen copy of a config with other values."""
    changed = cfg.clone()
    changed.defrost()
    changed.merge_from_list(options)
    changed.freeze()
    return changed
