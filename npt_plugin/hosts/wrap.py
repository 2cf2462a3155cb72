"""NPT over any host trainer: its own step, with the terms' gradient added at the encoders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.config import KEYS
from npt_plugin.datasets.class_counts import class_counts
from npt_plugin.engine.framework import described
from npt_plugin.errors import UserError
from npt_plugin.hosts.capture import PLACES, Regulariser
from npt_plugin.hosts.kept_config import config_for_host, value_of
from npt_plugin.hosts.observing import watch_parsing
from npt_plugin.losses.objective import Objective, build_objective, counts_logits, needs_zero_shot
from npt_plugin.system.options import one_of
from npt_plugin.system.ranks import refuse_unjoined
from npt_plugin.system.safe_checkpoints import read_state, write_state
from npt_plugin.trainers.named_text import text_features_of
from npt_plugin.trainers.zeroshot import template_of

TOWERS = ("image_encoder", "text_encoder")

STATE = "npt_terms.npt"
"""File in ``OUTPUT_DIR`` with the terms' running means, where they have any."""


if TYPE_CHECKING:
    from npt_plugin.engine.framework import TrainerX as _Behind
else:
    _Behind = object


class HostNPT(_Behind):
    """What ``make_host_trainer`` puts before a host's trainer class.

    Nothing of the host is replaced: its model, loss, optimiser, precision and checkpoints are as
    they are. With all weights 0 no hook is set, and the run is the host's bit for bit.
    """

    host_class: type
    cfg: Any
    dm: Any

    def __init__(self, cfg: Any, *args: Any, **kwargs: Any) -> None:
        """The host's constructor; it and its data see the host's own name in ``TRAINER.NAME``."""
        name = self.host_class.__name__
        print(f"{type(self).__name__}: this project's {name} with NPT's terms, on {described()}")
        super().__init__(config_for_host(cfg, name), *args, **kwargs)

    def check_cfg(self, cfg: Any) -> None:
        """The host's checks; and no key that this trainer would silently ignore."""
        refuse_unjoined()
        super().check_cfg(cfg)
        for key in KEYS:
            value = value_of(cfg, key.name) if key.ours else None
            if value is not None and value != key.default:
                raise UserError(
                    f"{key.name} is {value!r}, but {type(self).__name__} trains with the host's "
                    f"own step, which does not know it: leave it at {key.default!r}, or use "
                    "NPT_CoOp, NPT_CoCoOp or NPT_MaPLe with TRAINER.NPT.BASE plugin."
                )

    def build_model(self) -> None:
        """The host's model; then the terms and the hooks."""
        at = one_of("TRAINER.NPT.AT", self.cfg.TRAINER.NPT.AT, PLACES)
        super().build_model()
        self.npt: Regulariser | None = None
        self.npt_objective = self.build_npt_objective()
        if not self.npt_objective.terms:
            return
        refuse_several_gpus(self)
        classes = len(self.dm.dataset.classnames)
        hook = getattr(self, "npt_labels", None)
        self.npt = Regulariser(self.npt_objective, classes, lambda g: scaled(self, g), hook, at)
        if at == "encoders":
            self.npt.attach(model_with_encoders(self))
        watch_parsing(self, self.npt.note_parsed)
        for optimizer in self._optims.values():
            if optimizer is not None:
                self.npt.watch(optimizer)

    def build_npt_objective(self) -> Objective:
        """The terms of ``TRAINER.NPT`` for this run's classes."""
        dataset = self.dm.dataset
        anchors = None
        if needs_zero_shot(self.cfg):
            anchors = zero_shot_text(self.cfg, dataset.classnames)
        counts = class_counts(dataset)
        scale = logit_scale_of(self) if counts_logits(self.cfg) else None
        objective = build_objective(self.cfg, counts, anchors, scale)
        return objective.to(self.device)

    def before_epoch(self) -> None:
        """Tell the terms which epoch it is."""
        super().before_epoch()
        self.npt_objective.set_epoch(self.epoch)

    def forward_backward(self, batch: Any, *more: Any) -> dict[str, Any]:
        """The host's step; the terms join its summary under their names."""
        if self.npt is None:
            return super().forward_backward(batch, *more)
        self.npt.begin(batch, *more)
        try:
            with self.npt.watching():
                summary = super().forward_backward(batch, *more)
        finally:
            terms = self.npt.end()
        if not terms:
            raise nothing_to_act_on(self)
        for name, term in terms.items():
            if not torch.isfinite(term):
                raise FloatingPointError(
                    f"{name} is {float(term)}: lower OPTIM.LR or use PREC fp32."
                )
        self.npt.tell_balance()
        return {**summary, **terms}

    def save_model(self, epoch: int, directory: str, *args: Any, **kwargs: Any) -> None:
        """The host's checkpoints; beside them the running means of the terms, if any."""
        super().save_model(epoch, directory, *args, **kwargs)
        state = self.npt_objective.state_dict()
        if state:
            write_state(Path(directory) / STATE, {"epoch": epoch + 1, "objective": state})

    def resume_model_if_exist(self, directory: str) -> int:
        """The host's way to resume; the running means go on too."""
        epoch = super().resume_model_if_exist(directory)
        saved = read_state(Path(directory) / STATE) if directory and epoch else None
        if saved is not None and saved["epoch"] == epoch:
            self.npt_objective.load_state_dict(saved["objective"])
        return epoch


def make_host_trainer(host_class: type) -> type:
    """``NPT_<Name>`` over a host's trainer class.

    Args:
        host_class: A Dassl trainer whose model has ``image_encoder`` and ``text_encoder``.

    Returns:
        A subclass of it.
    """
    members = {
        "__doc__": f"NPT on the host's {host_class.__name__}.",
        "__module__": __name__,
        "host_class": host_class,
    }
    return type(f"NPT_{host_class.__name__}", (HostNPT, host_class), members)


def models_of(trainer: Any) -> list[Any]:
    """``trainer.model``, None if there is none, and all that the host registered."""
    return [getattr(trainer, "model", None), *trainer._models.values()]


def refuse_several_gpus(trainer: Any) -> None:
    """Hooks of one process see nothing of copies of a model.

    Raises:
        UserError: If the host's model is spread over several GPUs.
    """
    name = trainer.host_class.__name__
    if any(isinstance(model, nn.DataParallel) for model in models_of(trainer)):
        raise UserError(
            f"NPT_{name} runs on one GPU, but {name} spreads its model over all it sees: set "
            "CUDA_VISIBLE_DEVICES to one of them."
        )


def model_with_encoders(trainer: Any) -> nn.Module:
    """The host's model that holds both encoders: ``trainer.model``, or a registered one.

    Raises:
        UserError: If there is none.
    """
    name = trainer.host_class.__name__
    models = models_of(trainer)
    lacking = [tower for tower in TOWERS if not hasattr(models[0], tower)] or list(TOWERS)
    for model in models:
        if all(isinstance(getattr(model, tower, None), nn.Module) for tower in TOWERS):
            return model
    raise UserError(
        f"NPT_{name} needs a model with the modules image_encoder and text_encoder; the model that "
        f"the host's {name} trains has no {' and no '.join(lacking)}. Where one product of "
        "image and text features makes its class scores, set TRAINER.NPT.AT to 'logits'."
    )


def nothing_to_act_on(trainer: Any) -> UserError:
    """Why a step had no terms."""
    name = trainer.host_class.__name__
    if trainer.npt.at == "logits":
        return UserError(
            f"TRAINER.NPT.AT is 'logits', but {name} took a step in which no cross_entropy or "
            f"nll_loss had a gradient to class scores (n, {trainer.npt.n_classes}) made by one "
            "product of image and text features: set it to 'encoders'."
        )
    return UserError(
        f"{name} took a step in which no gradient reached image_encoder or text_encoder: NPT has "
        "nothing to act on; set TRAINER.NPT.AT to 'logits', or train it without NPT."
    )


def scaled(trainer: Any, gradient: Tensor) -> Tensor:
    """``gradient`` times the factor by which the host's GradScaler scales its loss, if any."""
    scaler = getattr(trainer, "scaler", None)
    return gradient if scaler is None else scaler.scale(gradient)


def logit_scale_of(trainer: Any) -> float:
    """exp of the host's ``logit_scale``; of the CLIP it names where no module of it has one."""
    for model in models_of(trainer):
        for name, value in model.named_parameters() if isinstance(model, nn.Module) else ():
            if name.rpartition(".")[2] == "logit_scale":
                return float(value.detach().float().exp())
    return float(load_clip_of(trainer.cfg).logit_scale.exp())


def zero_shot_text(cfg: Any, classnames: list[str]) -> Tensor:
    """Unit-norm zero-shot text features (K, D) of the host's backbone, fp32."""
    clip_model = load_clip_of(cfg).float()
    return text_features_of(clip_model, classnames, template_of(cfg))
