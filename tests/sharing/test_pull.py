"""There and back: a pulled run is the run that was published."""

import json
import shutil

import pytest
import torch

from npt_plugin import Predictor
from npt_plugin.cli import main as cli
from npt_plugin.errors import UserError
from npt_plugin.sharing.publish import SUMS, publish
from npt_plugin.sharing.pull import pull


@pytest.fixture
def shared(run, tmp_path):
    """A published folder."""
    publish(run, tmp_path / "shared", "mit")
    return tmp_path / "shared"


def test_the_checkpoint_comes_back_bit_for_bit(run, shared, tmp_path):
    back = pull(str(shared), tmp_path / "back")
    (file,) = back.glob("*/model*.pth.tar*")
    assert file.read_bytes() == (run / file.relative_to(back)).read_bytes()


def test_every_command_takes_it(run, shared, tmp_path, small_clip_file, pets_root, images, capsys):
    back = pull(str(shared), tmp_path / "back")
    there = small_clip_file.parent  # where the weights file of that name is
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(there)
        for image in images[:2]:
            ours, theirs = (Predictor.from_run(f).probabilities([image]) for f in (run, back))
            assert torch.equal(torch.as_tensor(ours), torch.as_tensor(theirs))
        assert cli.main(["eval", "--run", str(back), "--root", str(pets_root)]) == 0
        assert cli.main(["report", str(tmp_path / "back"), "--no-plots"]) == 0
    (tested,) = back.glob("eval/*/results.json")
    before = json.loads((run / "results.json").read_text())["metrics"]
    assert json.loads(tested.read_text())["metrics"] == before


@pytest.mark.parametrize("name", ["learned.safetensors", "results.json", "config.yaml"])
def test_a_damaged_or_missing_file_ends_in_one_sentence(shared, tmp_path, name, capsys):
    whole = (shared / name).read_bytes()
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 1
    for content in (bytes(flipped), whole[:-7], b""):
        (shared / name).write_bytes(content)
        assert cli.main(["pull", str(shared), str(tmp_path / "back")]) == 2
        err = capsys.readouterr().err
        assert "damaged" in err and err.count("\n") == 1
    (shared / name).unlink()
    with pytest.raises(UserError, match="incomplete"):
        pull(str(shared), tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_foreign_folders_and_full_ones_are_refused(shared, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    with pytest.raises(UserError, match="not written by `npt publish`"):
        pull(str(foreign), tmp_path / "back")
    with pytest.raises(UserError, match="not empty"):
        pull(str(shared), shared)
    other = shutil.copytree(shared, tmp_path / "other")
    (other / SUMS).write_text("no sums\n")
    with pytest.raises(UserError, match="incomplete"):
        pull(str(other), tmp_path / "back")
