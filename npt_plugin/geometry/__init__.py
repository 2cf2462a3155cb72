"""Where class vectors should point, and how far from it they are."""

from npt_plugin.geometry.equiangular import near_equiangular, target_frame
from npt_plugin.geometry.etf import (
    collapse_bound,
    nearest_etf,
    simplex_etf,
    simplex_gram,
    welch_bound,
)
from npt_plugin.geometry.features import cosines, full_precision, hat, promote, unit
from npt_plugin.geometry.metrics import nc_metrics

__all__ = [
    "collapse_bound",
    "cosines",
    "full_precision",
    "hat",
    "nc_metrics",
    "near_equiangular",
    "nearest_etf",
    "promote",
    "simplex_etf",
    "simplex_gram",
    "target_frame",
    "unit",
    "welch_bound",
]
