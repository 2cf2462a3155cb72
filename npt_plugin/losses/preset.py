"""Defaults of earlier versions under their number, so that their results keep their meaning."""

from __future__ import annotations

from typing import Any

from yacs.config import CfgNode

from npt_plugin.config.npt import NPT
from npt_plugin.errors import UserError
from npt_plugin.system.options import one_of

_ALIKE: dict[str, Any] = {"UNITS": "cosine", "PRIOR_COUNT": 0.0}
PRESETS: dict[str, dict[str, Any]] = {"": {}, "0.1": _ALIKE, "0.2": _ALIKE}
"""What has another default now, by version; weights and forms are those of 0.1 still."""

_NODE = "TRAINER.NPT"
_DEFAULTS = {key.name: key.default for key in NPT}


def with_preset(npt: CfgNode) -> CfgNode:
    """The node ``TRAINER.NPT`` as its ``PRESET`` means it.

    Args:
        npt: The node; it stays as it is.

    Raises:
        UserError: If there is no such preset, or a key it sets has been set otherwise.

    Example:
        >>> from npt_plugin.config import defaults
        >>> cfg = defaults()
        >>> cfg.TRAINER.NPT.PRESET = "0.1"
        >>> with_preset(cfg.TRAINER.NPT).PRIOR_COUNT
        0.0
    """
    preset = one_of(f"{_NODE}.PRESET", npt.PRESET, tuple(PRESETS))
    if not PRESETS[preset]:
        return npt
    meant = npt.clone()
    meant.defrost()
    for name, value in PRESETS[preset].items():
        if npt[name] not in (value, _DEFAULTS[f"{_NODE}.{name}"]):
            raise UserError(
                f"{_NODE}.PRESET {preset} means {_NODE}.{name} {value}, and it is {npt[name]}: "
                "leave out one of them."
            )
        meant[name] = value
    return meant
