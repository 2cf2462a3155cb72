"""Defaults of the ``TRAINER`` section.

The methods behind these keys are not part of this package; the keys are, so that yaml files
naming them load.
"""

from __future__ import annotations

from typing import Any

_ADVERSARIAL_ENSEMBLE: dict[str, Any] = {
    "WEIGHT_U": 0.5,  # weight of the unlabelled loss
    "CONF_THRE": 0.95,  # confidence a pseudo-label needs
    "STRONG_TRANSFORMS": (),
}

TRAINER_DEFAULTS: dict[str, Any] = {
    "NAME": "",
    # domain adaptation
    "MCD": {"N_STEP_F": 4},
    "MME": {"LMDA": 0.1},
    "CDAC": {
        "CLASS_LR_MULTI": 10,
        "RAMPUP_COEF": 30,
        "RAMPUP_ITRS": 1000,
        "TOPK_MATCH": 5,
        "P_THRESH": 0.95,
        "STRONG_TRANSFORMS": (),
    },
    "SE": {"EMA_ALPHA": 0.999, "CONF_THRE": 0.95, "RAMPUP": 300},
    "M3SDA": {"LMDA": 0.5, "N_STEP_F": 4},
    "DAEL": dict(_ADVERSARIAL_ENSEMBLE),
    # domain generalisation
    "CROSSGRAD": {"EPS_F": 1.0, "EPS_D": 1.0, "ALPHA_F": 0.5, "ALPHA_D": 0.5},
    "DDAIG": {
        "G_ARCH": "",
        "LMDA": 0.3,
        "CLAMP": False,
        "CLAMP_MIN": -1.0,
        "CLAMP_MAX": 1.0,
        "WARMUP": 0,
        "ALPHA": 0.5,
    },
    "DAELDG": dict(_ADVERSARIAL_ENSEMBLE),
    "DOMAINMIX": {"TYPE": "crossdomain", "ALPHA": 1.0, "BETA": 1.0},
    # semi-supervised learning
    "ENTMIN": {"LMDA": 1e-3},
    "MEANTEACHER": {"WEIGHT_U": 1.0, "EMA_ALPHA": 0.999, "RAMPUP": 5},
    "MIXMATCH": {"WEIGHT_U": 100.0, "TEMP": 2.0, "MIXUP_BETA": 0.75, "RAMPUP": 20000},
    "FIXMATCH": {"WEIGHT_U": 1.0, "CONF_THRE": 0.95, "STRONG_TRANSFORMS": ()},
}
"""Nested table of the ``TRAINER`` section."""
