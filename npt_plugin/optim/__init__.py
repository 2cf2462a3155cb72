"""Optimisers that look at the neighbourhood of the weights."""

from npt_plugin.optim.build import wrap_optimizer
from npt_plugin.optim.gnm import GNM
from npt_plugin.optim.sam import SAM
from npt_plugin.optim.take_step import take_step

__all__ = ["GNM", "SAM", "take_step", "wrap_optimizer"]
