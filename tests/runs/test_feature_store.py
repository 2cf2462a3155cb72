"""Test image features on disk: the same result, nothing decoded twice, nothing trusted blindly."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.runs.feature_store import FeatureStore, image_key, tower_key

CACHED = "TEST.FEATURE_STORE"


def evaluated(trainer):
    from npt_plugin.trainers.evaluate import collect_outputs

    trainer.set_model_mode("eval")
    with torch.inference_mode():
        return collect_outputs(trainer, trainer.test_loader, trainer.evaluator)


@pytest.mark.numerics
@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "ZeroshotCLIP"])
def test_the_second_test_decodes_nothing_and_gives_the_same(make_trainer, tmp_path, decoded, name):
    plain = evaluated(make_trainer(name))
    folder = str(tmp_path / "kept features")
    first = evaluated(make_trainer(name, CACHED, folder))
    assert len(decoded) == 30
    second = evaluated(make_trainer(name, CACHED, folder))
    assert len(decoded) == 30
    for a, b, c in zip(plain, first, second, strict=True):
        assert gap(b, a) <= DOUBLE
        assert torch.equal(c, b)


def test_classes_and_batch_sizes_share_what_is_kept(make_trainer, tmp_path, decoded):
    folder = str(tmp_path)
    evaluated(make_trainer("CoOp", CACHED, folder))
    decoded.clear()
    options = ("DATASET.SUBSAMPLE_CLASSES", "all", "DATALOADER.TEST.BATCH_SIZE", "7")
    evaluated(make_trainer("CoOp", CACHED, folder, *options))
    assert len(decoded) == 15  # the other three classes


def test_a_method_that_learns_the_image_side_keeps_nothing(make_trainer, tmp_path, capsys):
    evaluated(make_trainer("MaPLe", CACHED, str(tmp_path / "c")))
    assert "TEST.FEATURE_STORE is not used" in capsys.readouterr().out
    assert not (tmp_path / "c").exists()


def test_a_replaced_image_is_seen_anew(tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(b"one")
    before = image_key(str(file))
    assert image_key(str(file)) == before
    os.utime(file, ns=(1, 1))
    touched = image_key(str(file))
    file.write_bytes(b"two!")
    os.utime(file, ns=(1, 1))
    assert len({before, touched, image_key(str(file))}) == 3
    with pytest.raises(OSError):
        image_key(str(tmp_path / "absent.jpg"))


def test_other_weights_precision_or_preprocessing_have_their_own_folder(small_clip):
    tower = small_clip.model.visual
    keys = {tower_key(tower, "resize 32"), tower_key(tower, "resize 64")}
    assert tower_key(tower, "resize 32") in keys
    keys.add(tower_key(tower.bfloat16(), "resize 32"))
    tower.float().conv1.weight.data[0, 0, 0, 0] += 1e-3
    keys.add(tower_key(tower, "resize 32"))
    assert len(keys) == 4


@pytest.mark.numerics
@pytest.mark.parametrize("damage", ["cut", "flip", "text"])
def test_a_damaged_shard_is_removed_and_computed_again(make_trainer, tmp_path, decoded, damage):
    expected = evaluated(make_trainer("CoOp", CACHED, str(tmp_path)))
    (shard,) = tmp_path.rglob("*.safetensors")
    content = bytearray(shard.read_bytes())
    if damage == "flip":
        content[-3] ^= 1
    shard.write_bytes({"cut": content[:-100], "flip": content, "text": b"x"}[damage])
    decoded.clear()
    found = evaluated(make_trainer("CoOp", CACHED, str(tmp_path)))
    assert len(decoded) == 15
    for ours, plain in zip(found, expected, strict=True):
        assert gap(ours, plain) <= DOUBLE
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1


def test_writers_at_the_same_time_lose_nothing(tmp_path):
    def write(i):
        keys = [bytes([i, j]) * 16 for j in range(20)]
        FeatureStore(tmp_path).add(keys, torch.full((20, 8), float(i)))
        return len(FeatureStore(tmp_path).load())

    with ThreadPoolExecutor(8) as pool:
        assert min(pool.map(write, range(16))) >= 20
    known = FeatureStore(tmp_path).load()
    assert len(known) == 320
    assert all(torch.equal(row, torch.full((8,), float(key[0]))) for key, row in known.items())
