"""Objectives of two methods side by side."""

import torch
import torch.nn.functional as F
from torch import nn

from npt_plugin.backbone.outputs import PromptOutputs
from npt_plugin.losses.joined import JoinedObjective
from npt_plugin.losses.objective import Objective


class Constant(nn.Module):
    def forward(self, images, text, labels):
        return torch.ones(())


def test_terms_of_both_with_their_own_weights_and_ramps():
    text = F.normalize(torch.eye(3), dim=-1)
    outputs = PromptOutputs(text, text, text)
    plain = Objective({"a": Constant()}, {"a": 2.0})
    ramped = Objective({"b": Constant()}, {"b": 3.0}, warmup_epochs=3)
    joined = JoinedObjective([plain, ramped])
    joined.set_epoch(1)
    found = joined(outputs, torch.tensor([0, 1, 2]))
    assert {name: float(value) for name, value in found.items()} == {"a": 2.0, "b": 2.0}
