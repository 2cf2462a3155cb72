"""CLIP kept for forked runs: every run has its own, and draws the numbers it would have drawn."""

from types import SimpleNamespace

import pytest
import torch

from npt_plugin.backbone import kept
from npt_plugin.backbone.loading import load_clip
from npt_plugin.system.shared import sharing


@pytest.fixture
def cfg(small_clip_file):
    backbone = SimpleNamespace(NAME="ViT-B/16")
    return SimpleNamespace(
        MODEL=SimpleNamespace(BACKBONE=backbone, CLIP_WEIGHTS=str(small_clip_file))
    )


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(kept, "_kept", kept.OrderedDict())
    monkeypatch.setattr(kept, "_asked", [])


def plainly(cfg, dtype):
    model = load_clip("", cfg.MODEL.CLIP_WEIGHTS)
    model.cast(dtype)
    return model.state_dict(), torch.get_rng_state()


def same(model, state):
    own = model.state_dict()
    return own.keys() == state.keys() and all(
        torch.equal(own[name], tensor) and own[name].dtype == tensor.dtype
        for name, tensor in state.items()
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_by_hand_it_is_loaded(cfg, dtype):
    torch.manual_seed(5)
    state, after = plainly(cfg, dtype)
    torch.manual_seed(5)
    assert same(kept.prepared_clip(cfg, dtype), state)
    assert torch.equal(torch.get_rng_state(), after)


def test_a_kept_model_and_the_random_state_are_those_of_a_loaded_one(cfg, tmp_path, monkeypatch):
    for seed in (1, 2):
        torch.manual_seed(seed)
        state, after = plainly(cfg, torch.float32)
        with sharing(tmp_path):
            torch.manual_seed(seed)  # the first run of a seed loads, and says what was drawn
            kept.prepared_clip(cfg, torch.float32)
            torch.manual_seed(99)
            before = torch.get_rng_state()
            kept.keep(kept.asked()[-1])
            assert torch.equal(torch.get_rng_state(), before)
            torch.manual_seed(seed)
            with monkeypatch.context() as patch:
                patch.setattr(kept, "load_clip", None)  # is not called
                model = kept.prepared_clip(cfg, torch.float32)
        assert same(model, state) and torch.equal(torch.get_rng_state(), after)


def test_nobody_gets_a_model_that_another_has(cfg, tmp_path):
    with sharing(tmp_path):
        torch.manual_seed(1)
        kept.prepared_clip(cfg, torch.float32)
        kept.keep(kept.asked()[0])
        torch.manual_seed(1)
        mine = kept.prepared_clip(cfg, torch.float32)
        torch.manual_seed(1)
        other = kept.prepared_clip(cfg, torch.float32)
    with torch.no_grad():
        mine.model.visual.proj.zero_()
    assert mine is not other and other.model.visual.proj.abs().sum() > 0


@pytest.mark.parametrize("small, loaded", [(kept.SMALL, 0), (0, 4)])
def test_small_models_are_there_for_all_who_ask_a_large_one_for_the_first(
    cfg, monkeypatch, small, loaded
):
    monkeypatch.setattr(kept, "SMALL", small)
    state, _ = plainly(cfg, torch.float32)
    kept.prepared_clip(cfg, torch.float32)
    kept.keep(kept.asked()[0])
    loads = []
    monkeypatch.setattr(
        kept, "load_clip", lambda *words: (loads.append(words), load_clip(*words))[1]
    )
    for _ in range(kept.MOST_ASKED + 2):
        model = kept.prepared_clip(cfg, torch.float32, draws=False)
        assert same(model, state)
        for tensor in model.state_dict().values():
            tensor.zero_()  # of nobody else
    assert len(loads) == loaded


def test_runs_of_one_process_build_a_model_once_for_each_state_it_is_drawn_from(
    cfg, tmp_path, monkeypatch
):
    loads = []
    monkeypatch.setattr(
        kept, "load_clip", lambda *words: (loads.append(words), load_clip(*words))[1]
    )
    monkeypatch.setattr(kept, "_copied", False)
    kept.give_copies()
    with sharing(tmp_path):
        for seed in (1, 2, 1, 2, 1):
            torch.manual_seed(seed)
            state, after = plainly(cfg, torch.float32)
            torch.manual_seed(seed)
            model = kept.prepared_clip(cfg, torch.float32)
            assert same(model, state) and torch.equal(torch.get_rng_state(), after)
            for tensor in model.state_dict().values():
                tensor.zero_()  # of nobody else
    assert same(kept.prepared_clip(cfg, torch.float32, draws=False), state)  # nothing is shared
    assert len(loads) == 2


def test_precisions_and_files_are_told_apart_and_few_are_kept(cfg, small_clip_file, tmp_path):
    names = set()
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        kept.prepared_clip(cfg, dtype)
        kept.keep(kept.asked()[-1])
        names.add(kept.asked()[-1])
    assert len(names) == 3 and len(kept._kept) == kept.MOST_KEPT
    assert kept.asked()[0] not in kept._kept  # used longest ago
    copy = tmp_path / "copy.pt"
    copy.write_bytes(small_clip_file.read_bytes())
    cfg.MODEL.CLIP_WEIGHTS = str(copy)
    kept.prepared_clip(cfg, torch.float32)
    first = kept.asked()[-1]
    copy.write_bytes(small_clip_file.read_bytes() + b" ")
    kept.prepared_clip(cfg, torch.float32)
    assert first != kept.asked()[-1] and first.file != kept.asked()[-1].file


def test_a_name_with_slashes_and_colons_is_kept_like_any_other(tmp_path):
    pytest.importorskip("open_clip")
    from clip_families import family_folder

    folder = family_folder("siglip", tmp_path / "model")
    backbone = SimpleNamespace(NAME=f"open_clip:local-dir:{folder}")
    cfg = SimpleNamespace(MODEL=SimpleNamespace(BACKBONE=backbone, CLIP_WEIGHTS=""))
    with sharing(tmp_path / "shared"):
        torch.manual_seed(3)
        first = kept.prepared_clip(cfg, torch.float32)
        after = torch.get_rng_state()
        kept.keep(kept.asked()[-1])
        torch.manual_seed(3)
        again = kept.prepared_clip(cfg, torch.float32)
    assert torch.equal(torch.get_rng_state(), after) and again is not first
    assert same(again, first.state_dict())
