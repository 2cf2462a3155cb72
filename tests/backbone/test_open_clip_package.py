"""open_clip is optional: where it is missing, one sentence says how to get it."""

import builtins

import pytest

from npt_plugin.backbone.loading import load_clip
from npt_plugin.errors import UserError


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    plain = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "open_clip":
            raise ModuleNotFoundError("No module named 'open_clip'")
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'npt-plugin\[backbones\]'.*OpenAI's or Tiny"):
        load_clip("open_clip:ViT-B-16/laion2b_s34b_b88k")
