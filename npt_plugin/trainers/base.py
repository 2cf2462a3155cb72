"""One training step for every trainer: precision, loss, extra terms, update."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.frozen_linear import kernels
from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.kept import prepared_clip
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.backbone.precision import Precision, check_precision, resolve_precision
from npt_plugin.datasets.choice_record import refuse_other_choice
from npt_plugin.datasets.class_counts import class_counts
from npt_plugin.engine.distributed import average_gradients
from npt_plugin.engine.framework import build_lr_scheduler, build_optimizer
from npt_plugin.losses.registry import build_classification_loss
from npt_plugin.optim import take_step, wrap_optimizer
from npt_plugin.system import ranks
from npt_plugin.trainers import checkpoints
from npt_plugin.trainers.checks import check_tau_norm, check_zero_shot_share
from npt_plugin.trainers.ensembles import check_ensembles
from npt_plugin.trainers.epoch import step_summary
from npt_plugin.trainers.epoch_average import EpochAverage, average_of
from npt_plugin.trainers.evaluate import evaluate
from npt_plugin.trainers.loaders import prepare_train_loader
from npt_plugin.trainers.loop import EpochLoop
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.several import check_devices, see_whole_batch

Batch = dict[str, Tensor]
"""Tensors of one batch: ``label`` (B,), and ``img`` or ``features``."""

_MOST_NAMED = 30
"""What learns is named on the log up to this many tensors."""


class PromptTrainer(EpochLoop):
    """Trains the prompts of one ``PromptedCLIP``; a method only names its ``model_class``.

    Attributes:
        model_class: How prompts are made; supplies ``encode(images) -> PromptOutputs``.
        model: The prompted CLIP.
        precision: What ``PREC`` resolved to on this device.
        classification_loss: ``(logits, labels) -> scalar``, cross-entropy by default.
        objective: Extra named terms ``(outputs, labels) -> {name: weighted scalar}``, or None.
    """

    model_class: type[PromptedCLIP]
    model: PromptedCLIP
    cfg: Any
    classification_loss: Any  # None where a class has no training image
    objective: Any
    optim: Any  # None where nothing learns

    def check_cfg(self, cfg: Any) -> None:
        """Refuse what this trainer cannot run; called by Dassl before anything is built."""
        ranks.refuse_unjoined()
        check_precision(self.wanted_precision(cfg))
        check_devices(cfg)
        check_zero_shot_share(cfg, self.model_class)
        self.wanted_average(cfg)  # refuses what cannot be averaged
        kernels()  # refuses a value of NPT_KERNELS that does not exist

    def wanted_average(self, cfg: Any) -> EpochAverage | None:
        """The average of epochs that is tested; None: what the last one has learned."""
        return average_of(cfg)

    def wanted_precision(self, cfg: Any) -> str:
        """The run's ``PREC`` as the config says it."""
        return getattr(cfg.TRAINER, self.model_class.prec_node).PREC

    @classmethod
    def config_nodes(cls) -> set[str]:
        """Names of the ``TRAINER`` nodes this trainer reads; keys of the others do nothing."""
        return {cls.model_class.prec_node, *cls.model_class.other_nodes, "IMBALANCE_LOSS"}

    def build_data_loader(self) -> None:
        """Dassl's loaders; then the class counts, which the losses and the results need."""
        super().build_data_loader()
        dataset = self.dm.dataset
        self.classnames = list(dataset.classnames)
        self.class_counts = class_counts(dataset)

    def build_model(self) -> None:
        """CLIP in the run's precision, prompts, losses, optimiser and schedule."""
        cfg = self.cfg
        self.train_seconds, self.history = 0.0, []
        self.epoch_average = self.wanted_average(cfg)
        self.precision: Precision = resolve_precision(self.wanted_precision(cfg), self.device)
        clip_model = prepared_clip(cfg, self.precision.tower_dtype)
        self.backbone_file = clip_model.about
        said = (backbone_name(cfg), clip_model.about, self.precision.name)
        print(f"Loading CLIP (backbone: {', '.join(filter(None, said))})")
        self.model = self.make_model(clip_model)
        check_tau_norm(cfg, self.model)
        check_ensembles(cfg, self.model, self.classnames)
        if cfg.MODEL.INIT_WEIGHTS:
            checkpoints.load_into(self.model, cfg.MODEL.INIT_WEIGHTS)
        self.model.to(self.device)
        clip_model.to(self.device)
        self.classification_loss = self.objective = None
        if bool((self.class_counts > 0).all()):  # some test-only sets have no training images
            self.classification_loss = build_classification_loss(
                self.loss_cfg(), self.class_counts, self.model.head_scale, self.model.head_bias
            )
            self.classification_loss.to(self.device)
            self.objective = self.build_objective(clip_model)
            self.train_loader_x = prepare_train_loader(self)
        self._build_optimizer()

    def make_model(self, clip_model: Backbone) -> PromptedCLIP:
        """The prompted CLIP of this run's classes."""
        return self.model_class(self.cfg, self.classnames, clip_model)

    def loss_cfg(self) -> Any:
        """The config that ``TRAINER.IMBALANCE_LOSS`` is read from: the run's own."""
        return self.cfg

    def build_objective(self, clip_model: Backbone) -> nn.Module | None:
        """Extra loss terms of the method; the base trainers have none."""
        return None

    def _build_optimizer(self) -> None:
        learned = self.model.learned()
        print(f"Parameters to be updated: {_spoken(learned)}")
        self.optim = self.sched = None
        if learned:
            groups = self.parameter_groups()
            grouped = {} if groups is None else {"param_groups": groups}  # not every Dassl has it
            all_of_them = nn.ParameterList(learned.values())
            base = build_optimizer(all_of_them, self.cfg.OPTIM, **grouped)
            self.sched = build_lr_scheduler(base, self.cfg.OPTIM)
            self.optim = wrap_optimizer(self.cfg, base)
        self.register_model(self.model_class.checkpoint_name, self.model, self.optim, self.sched)
        scaled = self.precision.autocast and self.device.type == "cuda"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)

    def parameter_groups(self) -> list[dict[str, Any]] | None:
        """What learns in groups of an optimiser, with rates of their own; None: all alike."""
        return None

    def tested_weights(self) -> AbstractContextManager[None]:
        """Inside, the model has the weights that are tested and saved: those that learn."""
        return nullcontext()

    # -- the step -----------------------------------------------------------------------------

    def encode(self, batch: Batch, text: Tensor | None = None) -> PromptOutputs:
        """Logits and unit-norm features of one batch on the device.

        Args:
            batch: ``img`` (B, 3, H, W), or ``features`` (B, D) from a cache.
            text: Text features (K, D) computed earlier; None: compute them.
        """
        if "features" in batch:
            return self.model.classify(batch["features"], text)
        return self.model.encode(batch["img"], text)

    def losses(
        self, batch: Batch, text: Tensor | None = None
    ) -> tuple[dict[str, Tensor], PromptOutputs]:
        """Every term of the objective by name, weighted; their sum is what is minimised.

        Args:
            batch: On the device.
            text: As in ``encode``; runs that train together have theirs computed in one pass.
        """
        with self.precision.context(self.device):
            outputs = see_whole_batch(self, batch, text)
            terms = {"ce": self.classification_loss(outputs.logits, batch["label"])}
        if self.objective is not None:
            terms.update(self.objective(outputs, batch["label"]))
        return terms, outputs

    def forward_backward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """One optimiser step; returns tensors, so that nothing waits for the device."""
        seen = self.on_device(batch)
        summaries = []

        def backward() -> Tensor:
            summaries.append(self.backward(seen))
            return summaries[-1]["loss"]

        take_step(self.optim, self.scaler, backward)
        return summaries[0]  # SAM looks twice; the first is at the parameters themselves

    def backward(self, seen: Batch, text: Tensor | None = None) -> dict[str, Tensor]:
        """Fresh gradients of one batch; returns what the log shows of it.

        Args:
            seen: On the device.
            text: As in ``encode``; a leaf that wants a gradient gets one.
        """
        terms, outputs = self.losses(seen, text)
        self.optim.zero_grad()
        loss = self.pull_back(terms)
        return step_summary(loss, terms, outputs.logits, seen["label"])

    def pull_back(self, terms: dict[str, Tensor]) -> Tensor:
        """Leave the step's gradient in what learns: here that of the terms' sum.

        A method that treats gradients of terms apart has its own; see ``gradient_of``.

        Returns:
            The loss that is minimised, for the log.
        """
        loss = reduce(add, terms.values())
        self.gradient_of(loss)
        return loss

    def gradient_of(self, loss: Tensor, again: bool = False) -> None:
        """Add a loss's gradient, mean over processes, to what learns, by the scaler's scale.

        Args:
            loss: Scalar.
            again: Whether another loss of the same batch will follow.
        """
        self.scaler.scale(loss).backward(retain_graph=again)
        average_gradients(p for group in self.optim.param_groups for p in group["params"])

    def on_device(self, batch: dict[str, Any]) -> Batch:
        """Images or cached features, and labels, of a loader's batch on the run's device."""
        kept = ("img", "features", "label")
        return {k: batch[k].to(self.device, non_blocking=True) for k in kept if k in batch}

    def parse_batch_train(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Images and labels, as Dassl has it."""
        seen = self.on_device(batch)
        return seen["img"], seen["label"]

    # -- checkpoints ----------------------------------------------------------------------------

    def save_model(
        self,
        epoch: int,
        directory: str,
        is_best: bool = False,
        val_result: float | None = None,
        model_name: str = "",
    ) -> None:
        """Write the learned tensors (KBs) where Dassl would write the whole model."""
        checkpoints.save(self, epoch, directory, val_result, model_name, is_best)

    def load_model(self, directory: str, epoch: int | None = None) -> None:
        """Load learned tensors that this or a public checkout saved."""
        checkpoints.load(self, directory, epoch)

    def resume_model_if_exist(self, directory: str) -> int:
        """Continue an interrupted run exactly; returns the epoch to start from."""
        epoch = checkpoints.resume(self, directory)
        record = self._choice()
        if epoch and record:
            refuse_other_choice(directory, record)
        return epoch

    # -- evaluation -----------------------------------------------------------------------------

    def model_inference(self, images: Tensor) -> Tensor:
        """Logits (B, K)."""
        return self.model(images)

    def test(self, split: str | None = None) -> float:
        """Evaluate, log Dassl's result lines and write ``results.json``; returns the accuracy."""
        return evaluate(self, split)


def _spoken(learned: Mapping[str, nn.Parameter]) -> str:
    """The names of what learns, or how many there are."""
    if len(learned) <= _MOST_NAMED:
        return ", ".join(learned) or "none"
    numbers = sum(p.numel() for p in learned.values())
    return f"{len(learned)} tensors with {numbers:,} numbers"
