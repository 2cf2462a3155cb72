"""The sum of named terms that NPT adds to a trainer's own loss."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from yacs.config import CfgNode

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.errors import UserError
from npt_plugin.geometry import full_precision, hat, promote, target_frame
from npt_plugin.losses.cluster import (
    ClassCompactnessLoss,
    ClusterETFLoss,
    PrototypeAnchorLoss,
    text_clusters,
)
from npt_plugin.losses.collapse import COLLAPSE_FORMS, CollapseLoss, debias_weights
from npt_plugin.losses.isomorphism import ISOMORPHISM_FORMS, IsomorphismLoss
from npt_plugin.losses.preset import with_preset
from npt_plugin.losses.shrinkage import shrinkage_weights
from npt_plugin.system.options import check_counts, in_range, one_of

VERSIONS = ("v3", "v2", "cpt")

WEIGHT_KEYS = {
    "lc": "TRAINER.NPT.LAMBDA_LC",
    "gd": "TRAINER.NPT.LAMBDA_LC",
    "mi": "TRAINER.NPT.LAMBDA_MI",
    "tetf": "TRAINER.NPT.CPT.LAMBDA_TETF",
    "cc": "TRAINER.NPT.CPT.LAMBDA_CC",
    "rs": "TRAINER.NPT.CPT.LAMBDA_RS",
}
"""Term to the config key that is its weight."""

UNITS = ("logits", "cosine")
"""Values of ``TRAINER.NPT.UNITS``."""

SCALE = 17.53
"""Logit scale of the embedded CLIP, on which the weights were chosen."""


class Objective(nn.Module):
    """Weighted terms on the features of one batch, each under its own name.

    Every term is a module called as ``term(image_features, text_features, labels)``. It runs in
    full precision, also under autocast, and never waits for the device.

    Args:
        terms: Modules by name.
        weights: Weight by the same names, >= 0. A term of weight 0 is left out altogether, so a
            trainer whose weights are all 0 adds nothing and stays bit-identical to its base.
        warmup_epochs: W; the weights are multiplied by min(1, (epoch + 1) / W). 0: by 1.
        unit: Multiplies all of them, see ``logit_unit``.
    """

    def __init__(
        self,
        terms: Mapping[str, nn.Module],
        weights: Mapping[str, float],
        warmup_epochs: int = 0,
        unit: float = 1.0,
    ) -> None:
        super().__init__()
        self.unit = unit
        self.terms = nn.ModuleDict({n: t for n, t in terms.items() if weights[n] != 0})
        self.weights = {name: float(weights[name]) for name in self.terms}
        self.warmup_epochs = warmup_epochs
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Tell the warm-up ramp where training stands.

        Args:
            epoch: Current epoch, counted from 0.
        """
        self.ramp = min(1.0, (epoch + 1) / self.warmup_epochs) if self.warmup_epochs > 0 else 1.0

    def forward(self, outputs: PromptOutputs, labels: Tensor) -> dict[str, Tensor]:
        """Weighted terms of one batch.

        Args:
            outputs: Features of the batch, any float dtype.
            labels: (B,), integers in [0, K).

        Returns:
            Scalar by name, float32 (float64 for float64 features); empty without terms.
        """
        if not self.terms:
            return {}
        with full_precision(outputs.image_features.device.type):
            images = promote(outputs.image_features)  # (B, D)
            text = promote(outputs.text_features)  # (K, D) or (B, K, D)
            return {
                name: self.weights[name] * self.unit * self.ramp * term(images, text, labels)
                for name, term in self.terms.items()
            }


def needs_zero_shot(cfg: CfgNode) -> bool:
    """Whether the objective needs the frozen zero-shot text features.

    Args:
        cfg: A config with ``TRAINER.NPT``.

    Returns:
        True for CPT and for the ``anchored`` forms, unless their weight is 0.

    Example:
        >>> from npt_plugin.config import defaults
        >>> cfg = defaults()
        >>> needs_zero_shot(cfg)  # the defaults anchor the text features
        True
        >>> cfg.TRAINER.NPT.LAMBDA_LC = 0.0
        >>> needs_zero_shot(cfg)
        False
    """
    npt = cfg.TRAINER.NPT
    if npt.VERSION == "cpt":
        return bool(npt.CPT.LAMBDA_TETF > 0 or npt.CPT.LAMBDA_RS > 0)
    anchored = npt.LC.FORM in ("anchored", "zero_shot")
    anchored_lc = npt.VERSION == "v3" and anchored and npt.LAMBDA_LC > 0
    return bool(anchored_lc or (npt.MI.FORM == "anchored" and npt.LAMBDA_MI > 0))


def counts_logits(cfg: CfgNode) -> bool:
    """Whether the terms are counted in logits, so that they need CLIP's logit scale s.

    Cross-entropy sees cosines times s, and so its gradient grows with s. Terms of cosines keep
    their share of the gradient if they are counted in logits too, as the margins of LDAM and GCL
    are. CPT has its published weights, which were chosen at 100.

    Args:
        cfg: A config with ``TRAINER.NPT``.

    Raises:
        UserError: If ``TRAINER.NPT.UNITS`` is none of ``UNITS``.
    """
    npt = with_preset(cfg.TRAINER.NPT)
    logits = one_of("TRAINER.NPT.UNITS", npt.UNITS, UNITS) == "logits"
    return bool(logits and npt.VERSION != "cpt" and (npt.LAMBDA_LC > 0 or npt.LAMBDA_MI > 0))


def logit_unit(logit_scale: float) -> float:
    """How much a logit's worth of a term is more than at ``SCALE``.

    To three decimals: 1 on the embedded CLIP, whatever a processor makes of the last digit of exp.

    Example:
        >>> logit_unit(17.5287), logit_unit(100.0)
        (1.0, 5.705)
    """
    return round(logit_scale / SCALE, 3)


def build_objective(
    cfg: CfgNode,
    class_counts: Tensor,
    zero_shot_text: Tensor | None = None,
    logit_scale: float | None = None,
) -> Objective:
    """The objective that ``TRAINER.NPT`` describes.

    Args:
        cfg: A config with ``TRAINER.NPT``.
        class_counts: (K,), training images per class; its device becomes the objective's.
        zero_shot_text: (K, D), frozen text features, where ``needs_zero_shot(cfg)``.
        logit_scale: s of a classifier whose logits are s x cosine, where ``counts_logits(cfg)``;
            None: ``SCALE``.

    Returns:
        The objective, with terms ``lc`` and ``mi`` (v3), ``gd`` and ``mi`` (v2), or ``tetf``,
        ``cc`` and ``rs`` (cpt).

    Raises:
        UserError: If a key has a value that is not allowed.
        ValueError: If a class is empty, or zero-shot features are needed and missing or of the
            wrong shape.

    Example:
        >>> import torch
        >>> from npt_plugin.config import defaults
        >>> list(build_objective(defaults(), torch.tensor([8, 2]), torch.eye(2)).terms)
        ['lc', 'mi']
    """
    npt = with_preset(cfg.TRAINER.NPT)
    counts = check_counts(class_counts)
    one_of("TRAINER.NPT.VERSION", npt.VERSION, VERSIONS)
    in_range("TRAINER.NPT.WARMUP_EPOCH", npt.WARMUP_EPOCH, 0)
    if needs_zero_shot(cfg):
        if zero_shot_text is None or zero_shot_text.ndim != 2:
            raise ValueError("these TRAINER.NPT settings need zero_shot_text (K, D)")
        if len(zero_shot_text) != len(counts):
            raise ValueError(
                f"zero_shot_text has {len(zero_shot_text)} classes, class_counts {len(counts)}"
            )
    if npt.VERSION == "cpt":
        terms, weights = _cpt_terms(npt, len(counts), zero_shot_text)
    else:
        terms, weights = _npt_terms(npt, counts, zero_shot_text, needs_zero_shot(cfg))
    unit = logit_unit(logit_scale) if counts_logits(cfg) and logit_scale else 1.0
    return Objective(terms, weights, npt.WARMUP_EPOCH, unit).to(class_counts.device)


def _npt_terms(
    npt: CfgNode, counts: Tensor, zero_shot: Tensor | None, anchored: bool
) -> tuple[dict[str, nn.Module], dict[str, float]]:
    lambda_lc = in_range(WEIGHT_KEYS["lc"], npt.LAMBDA_LC, 0)
    lambda_mi = in_range(WEIGHT_KEYS["mi"], npt.LAMBDA_MI, 0)
    lc_form = one_of("TRAINER.NPT.LC.FORM", npt.LC.FORM, COLLAPSE_FORMS)
    mi_form = one_of("TRAINER.NPT.MI.FORM", npt.MI.FORM, ISOMORPHISM_FORMS)
    momentum = in_range("TRAINER.NPT.MI.MOMENTUM", npt.MI.MOMENTUM, 0, 1)
    if momentum == 1:
        raise UserError("TRAINER.NPT.MI.MOMENTUM is 1; it must be below 1, or no mean ever moves.")
    temperature = in_range("TRAINER.NPT.LC.TEMPERATURE", npt.LC.TEMPERATURE, 1e-6)
    prior_count = in_range("TRAINER.NPT.PRIOR_COUNT", npt.PRIOR_COUNT, 0)
    shares = shrinkage_weights(counts, prior_count)  # (K,) or None
    k = len(counts)
    target = target_frame(zero_shot) if anchored and zero_shot is not None and k > 1 else None
    terms: dict[str, nn.Module] = {}
    weights: dict[str, float] = {}
    if npt.VERSION == "v2" and lambda_lc > 0:
        gamma = in_range("TRAINER.NPT.GD.GAMMA", npt.GD.GAMMA, 0)
        pairs = debias_weights(counts, gamma)
        terms["gd"] = CollapseLoss("etf", npt.CENTER, pair_weights=pairs, class_weights=shares)
        weights["gd"] = lambda_lc
    elif lambda_lc > 0:
        form = "etf" if k < 2 else lc_form  # one class: 0 in every form
        goal = target
        if form == "zero_shot" and zero_shot is not None:
            goal = hat(promote(zero_shot), npt.CENTER)
        terms["lc"] = CollapseLoss(form, npt.CENTER, temperature, goal, class_weights=shares)
        weights["lc"] = lambda_lc
    if lambda_mi > 0:
        form = "etf" if k < 2 else mi_form
        terms["mi"] = IsomorphismLoss(form, k, npt.CENTER, momentum, target, shares)
        weights["mi"] = lambda_mi
    return terms, weights


def _cpt_terms(
    npt: CfgNode, num_classes: int, zero_shot: Tensor | None
) -> tuple[dict[str, nn.Module], dict[str, float]]:
    cpt = npt.CPT
    weights = {
        "tetf": in_range(WEIGHT_KEYS["tetf"], cpt.LAMBDA_TETF, 0),
        "cc": in_range(WEIGHT_KEYS["cc"], cpt.LAMBDA_CC, 0),
        "rs": in_range(WEIGHT_KEYS["rs"], cpt.LAMBDA_RS, 0),
    }
    in_range("TRAINER.NPT.CPT.CLUSTERS", cpt.CLUSTERS, 0, num_classes)
    terms: dict[str, nn.Module] = {"cc": ClassCompactnessLoss()}
    if zero_shot is not None:
        clusters = text_clusters(zero_shot, cpt.CLUSTERS, cpt.CLUSTER_SEED)
        terms["tetf"] = ClusterETFLoss(clusters)
        terms["rs"] = PrototypeAnchorLoss(zero_shot)
    return terms, weights
