import random
import warnings

import numpy as np
import pytest
import torch
from minidassl.errors import DataError
from minidassl.utils import (
    load_checkpoint,
    load_pretrained_weights,
    resume_from_checkpoint,
    save_checkpoint,
)
from minidassl.utils.plain_state import plain_state
from torch import nn


def state_of(net, epoch=3, **more):
    return {"state_dict": net.state_dict(), "epoch": epoch, **more}


def test_round_trip_by_weights_only_loading(tmp_path, capsys):
    net = nn.Linear(3, 2)
    result = np.float64(91.25)
    save_checkpoint(state_of(net, val_result=result, counts=np.arange(3)), str(tmp_path))
    path = tmp_path / "model.pth.tar-3"
    loaded = torch.load(path, weights_only=True)
    assert torch.equal(loaded["state_dict"]["weight"], net.weight)
    assert loaded["epoch"] == 3 and loaded["val_result"] == 91.25
    assert loaded["counts"].tolist() == [0, 1, 2]
    assert (tmp_path / "checkpoint").read_text() == "model.pth.tar-3\n"
    assert capsys.readouterr().out == f"Checkpoint saved to {path}\n"


def test_prefix_of_data_parallelism_is_removed(tmp_path):
    state = {"state_dict": {"module.a.module.b": torch.ones(1)}, "epoch": 1}
    save_checkpoint(dict(state), str(tmp_path))
    assert list(load_checkpoint(str(tmp_path / "model.pth.tar-1"))["state_dict"]) == ["a.module.b"]
    save_checkpoint(dict(state), str(tmp_path), remove_module_from_keys=False, model_name="raw")
    assert list(load_checkpoint(str(tmp_path / "raw"))["state_dict"]) == ["module.a.module.b"]


def test_best_copy(tmp_path):
    save_checkpoint(state_of(nn.Linear(1, 1)), str(tmp_path), is_best=True)
    best = load_checkpoint(str(tmp_path / "model-best.pth.tar"))
    assert best["epoch"] == 3


def test_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    net = nn.Linear(2, 2)
    save_checkpoint(state_of(net), str(tmp_path))
    before = (tmp_path / "model.pth.tar-3").read_bytes()

    def half(state, path):
        with open(path, "wb") as file:
            file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(state_of(nn.Linear(2, 2)), str(tmp_path))
    assert (tmp_path / "model.pth.tar-3").read_bytes() == before


def test_objects_are_left_out_with_a_warning():
    with pytest.warns(UserWarning, match=r"state\.sched\.after \(Linear\)"):
        kept = plain_state({"sched": {"after": nn.Linear(1, 1), "step": 2}, "xs": (1, [2.5])})
    assert kept == {"sched": {"step": 2}, "xs": (1, [2.5])}


def test_file_with_objects_is_refused_by_name(tmp_path):
    path = tmp_path / "old.tar"
    sgd = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    torch.save({"scheduler": torch.optim.lr_scheduler.StepLR(sgd, 1)}, path)
    with pytest.raises(DataError, match="old.tar"):
        load_checkpoint(str(path))


def test_every_flipped_bit_is_noticed(tmp_path):
    save_checkpoint(state_of(nn.Linear(5, 4), val_result=50.0), str(tmp_path))
    path = tmp_path / "model.pth.tar-3"
    good, rng = path.read_bytes(), random.Random(0)
    for bit in rng.sample(range(8 * len(good)), 60):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"model\.pth\.tar-3 is damaged") as error:
            load_checkpoint(str(path))
        assert "\n" not in str(error.value)
    path.write_bytes(good)
    assert load_checkpoint(str(path))["val_result"] == 50.0


def test_missing_file_and_path():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_checkpoint("nowhere")
    with pytest.raises(ValueError):
        load_checkpoint(None)


def test_resume_restores_weights_and_momentum(tmp_path):
    torch.manual_seed(0)
    net, other = nn.Linear(2, 2), nn.Linear(2, 2)
    optim = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.ones(1, 2)).sum().backward()
    optim.step()
    save_checkpoint(state_of(net, optimizer=optim.state_dict(), scheduler=None), str(tmp_path))
    again = torch.optim.SGD(other.parameters(), lr=0.5, momentum=0.9)
    assert resume_from_checkpoint(str(tmp_path), other, again) == 3
    assert torch.equal(other.weight, net.weight) and again.param_groups[0]["lr"] == 0.1
    buffers = [o.state[o.param_groups[0]["params"][0]]["momentum_buffer"] for o in (optim, again)]
    assert torch.equal(*buffers)


def test_pretrained_weights_take_what_fits(tmp_path, capsys):
    saved = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    save_checkpoint(state_of(saved), str(tmp_path))
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 5))
    last = net[1].weight.clone()
    load_pretrained_weights(net, str(tmp_path / "model.pth.tar-3"))
    assert torch.equal(net[0].weight, saved[0].weight) and torch.equal(net[1].weight, last)
    assert "['1.weight', '1.bias']" in capsys.readouterr().out


def test_pretrained_weights_that_do_not_fit_at_all_warn(tmp_path):
    save_checkpoint(state_of(nn.Linear(2, 3)), str(tmp_path))
    with pytest.warns(UserWarning, match="Cannot load"):
        load_pretrained_weights(nn.Conv2d(1, 1, 1), str(tmp_path / "model.pth.tar-3"))


def test_plain_state_is_silent_on_real_optimisers():
    net = nn.Linear(2, 2)
    for kind in (torch.optim.Adam, torch.optim.RMSprop):
        optim = kind(net.parameters())
        net(torch.ones(1, 2)).sum().backward()
        optim.step()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert plain_state(optim.state_dict())["param_groups"] == [
                dict(group) for group in optim.state_dict()["param_groups"]
            ]
