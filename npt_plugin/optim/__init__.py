"""Optimisers that look at the neighbourhood of the weights."""

from npt_plugin.optim.build import wrap_optimizer
from npt_plugin.optim.gnm import GNM
from npt_plugin.optim.sam import SAM
from npt_plugin.optim.take_step import gradient_point, take_step, update

__all__ = ["GNM", "SAM", "gradient_point", "take_step", "update", "wrap_optimizer"]
