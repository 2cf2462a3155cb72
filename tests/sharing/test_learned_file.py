"""The file of learned tensors."""

import pytest
import torch
from safetensors.torch import save_file

from npt_plugin.errors import UserError
from npt_plugin.sharing.learned_file import Learned


def test_names_in_a_file_are_never_paths(tmp_path):
    """A foreign file cannot make us write elsewhere."""
    made = Learned("../../out", "../model.pth.tar-1", {"ctx": torch.ones(2)}, {"epoch": 1})
    made.save(tmp_path / "a.safetensors")
    found = Learned.load(tmp_path / "a.safetensors")
    assert (found.model, found.file) == ("out", "model.pth.tar-1")


def test_other_safetensors_are_refused(tmp_path):
    save_file({"ctx": torch.ones(2)}, str(tmp_path / "a.safetensors"))
    with pytest.raises(UserError, match="not written by `npt publish`"):
        Learned.load(tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(b"no")
    with pytest.raises(UserError, match="cannot be read"):
        Learned.load(tmp_path / "b.safetensors")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_every_precision_comes_back(tmp_path, dtype):
    ctx = torch.randn(3, 4).to(dtype)
    Learned("m", "f", {"ctx": ctx}, {"epoch": 1}).save(tmp_path / "a.safetensors")
    assert torch.equal(Learned.load(tmp_path / "a.safetensors").tensors["ctx"], ctx)
