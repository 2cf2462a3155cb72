"""Tensors of a file or of shards; whatever else a file holds ends in one sentence."""

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from npt_plugin.backbone.weights_file import read_json, read_tensors, tensor_shapes
from npt_plugin.errors import UserError

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "b": torch.ones(4, dtype=torch.float16)}


def same(found, expected=STATE):
    return found.keys() == expected.keys() and all(
        torch.equal(found[k], expected[k]) for k in found
    )


def write_shards(folder):
    for number, name in enumerate(STATE, 1):
        save_file({name: STATE[name]}, folder / f"model-0000{number}-of-00002.safetensors")
    places = {name: f"model-0000{i}-of-00002.safetensors" for i, name in enumerate(STATE, 1)}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return index


def test_every_form_holds_the_same_tensors(tmp_path):
    save_file(STATE, tmp_path / "w.safetensors")
    torch.save(STATE, tmp_path / "plain.pt")
    trained = {f"module.{name}": tensor for name, tensor in STATE.items()}
    torch.save({"epoch": 3, "name": "x", "state_dict": trained, "optimizer": {}}, tmp_path / "c.pt")
    torch.save(STATE, tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    archive = torch.jit.script(torch.nn.Linear(3, 2))
    torch.jit.save(archive, str(tmp_path / "archive.pt"))
    for name in ("w.safetensors", "plain.pt", "c.pt", "old.bin"):
        assert same(read_tensors(tmp_path / name)), name
        shapes = {"a.weight": (2, 3), "b": (4,)}
        assert tensor_shapes(tmp_path / name) == shapes
    assert same(read_tensors(tmp_path / "archive.pt"), dict(archive.state_dict()))
    assert same(read_tensors(write_shards(tmp_path)))


class Harmful:
    def __reduce__(self):
        return print, ("unpickled",)


def test_nothing_but_tensors_is_unpickled(tmp_path, capsys):
    (tmp_path / "bad.pt").write_bytes(pickle.dumps({"w": Harmful()}))
    torch.save({"w": Harmful()}, tmp_path / "bad_zip.pt")
    for name in ("bad.pt", "bad_zip.pt"):
        with pytest.raises(UserError, match=f"{name} cannot be read"):
            read_tensors(tmp_path / name)
    assert "unpickled" not in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin"])
def test_a_file_cut_anywhere_is_one_sentence(tmp_path, suffix):
    whole = tmp_path / f"whole{suffix}"
    save_file(STATE, whole) if suffix == ".safetensors" else torch.save(STATE, whole)
    data, cut = whole.read_bytes(), tmp_path / f"cut{suffix}"
    for part in (0, 1, 7, 8, 9, len(data) // 4, len(data) // 2, len(data) - 9, len(data) - 1):
        cut.write_bytes(data[:part])
        for read in (read_tensors, tensor_shapes):
            with pytest.raises(UserError, match=f"cut{suffix} (cannot be read|hold no)") as error:
                read(cut)
            assert "\n" not in str(error.value), part


@pytest.mark.parametrize(
    "content, sentence",
    [
        ({"w": [1, 2]}, "hold no state dict: w is a list"),
        ({3: torch.ones(1)}, "hold no state dict: 3 is a Tensor"),
        ([torch.ones(1)], "hold no state dict but a list"),
    ],
)
def test_what_is_no_state_dict_is_named(tmp_path, content, sentence):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(UserError, match=sentence):
        read_tensors(tmp_path / "other.pt")


def test_shards_that_do_not_fit_their_index_are_named(tmp_path):
    index = write_shards(tmp_path)
    held = json.loads(index.read_text())
    held["weight_map"]["c"] = "model-00001-of-00002.safetensors"
    index.write_text(json.dumps(held))
    with pytest.raises(UserError, match="names the tensor c, but no shard"):
        read_tensors(index)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(UserError, match="names model-00002-of-00002.safetensors, which is not in"):
        read_tensors(index)
    for wrong in ({"weight_map": [1]}, {"weight_map": {"a": 1}}, {}):
        index.write_text(json.dumps(wrong))
        with pytest.raises(UserError, match="has no weight_map"):
            read_tensors(index)


def test_a_shard_outside_the_folder_is_not_read(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    save_file(STATE, tmp_path / "x.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"b": "../x.safetensors"}}))
    with pytest.raises(UserError, match="which is not in"):
        read_tensors(index)


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, "\xff"])
def test_json_that_is_none_is_one_sentence(tmp_path, text):
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(
        UserError, match=r"config.json (cannot be read as JSON|holds no JSON object)"
    ):
        read_json(tmp_path / "config.json")
    with pytest.raises(UserError, match="absent.json is missing"):
        read_json(tmp_path / "absent.json")
    with pytest.raises(UserError, match="absent.pt do not exist"):
        read_tensors(tmp_path / "absent.pt")
