"""Optimisers that look at the neighbourhood of the weights."""

from npt_plugin.optim.build import wrap_optimizer
from npt_plugin.optim.gnm import GNM
from npt_plugin.optim.sam import SAM

__all__ = ["GNM", "SAM", "wrap_optimizer"]
