"""Runs from Python: what they return, print and refuse, and what `import npt_plugin` offers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import npt_plugin
from npt_plugin import Predictor, RunFolder, UserError, evaluate, read_record, run_sweep, train
from npt_plugin.runs.layout import RESULTS
from npt_plugin.sweep import from_python


@pytest.fixture
def options(small_clip_file: Path) -> dict[str, object]:
    return {
        "MODEL.CLIP_WEIGHTS": str(small_clip_file),
        "INPUT.SIZE": (32, 32),
        "DATASET.NUM_SHOTS": 2,
        "DATASET.SUBSAMPLE_CLASSES": "base",
        "DATALOADER.NUM_WORKERS": 0,
        "OPTIM.MAX_EPOCH": 1,
        "TRAINER.COOP.N_CTX": 2,
        "TRAINER.COOP.CTX_INIT": "",
    }


def trained(root: Path, output: Path, options: dict[str, object], **more: object) -> RunFolder:
    return train(
        "NPT_CoOp", "oxford_pets", "vit_b16_ctxv1", output, root=root, options=options, **more
    )


def test_a_run_is_trained_tested_on_new_classes_and_used(pets_root, tmp_path, options, images):
    run = trained(pets_root, tmp_path / "run", options, seed=0, quiet=True)
    assert run.record == read_record(tmp_path / "run" / RESULTS)
    assert (run.record.trainer, run.record.seed, run.record.shots) == ("NPT_CoOp", 0, 2)

    new = evaluate(
        run,
        tmp_path / "new",
        dataset="oxford_pets",
        config="vit_b16_ctxv1",
        root=pets_root,
        options=options | {"DATASET.SUBSAMPLE_CLASSES": "new"},
        quiet=True,
    )
    assert new.record.classes == "new" and new.record.model_dir == str(run.path)

    ((name, probability),) = Predictor.from_run(run.path).top_k(images[0], k=1)[0]
    assert name in run.class_names and 0 < probability <= 1


def test_quiet_prints_nothing_and_logs_all(pets_root, tmp_path, options, capsys):
    before = sys.stdout
    trained(pets_root, tmp_path / "run", options, quiet=True)
    assert sys.stdout is before  # Dassl's logger has gone
    assert "accuracy" in (tmp_path / "run" / "log.txt").read_text()
    assert "accuracy" not in capsys.readouterr().out
    print("after")
    assert "after" not in (tmp_path / "run" / "log.txt").read_text()


def test_mistakes_are_user_errors_and_write_nothing(pets_root, tmp_path, options):
    with pytest.raises(UserError, match="DATASET.NUM_SHOTS"):
        trained(pets_root, tmp_path / "run", options | {"DATASET.NUM_SHOT": 2})
    with pytest.raises(UserError, match="output folder"):
        trained(pets_root, "", options)
    with pytest.raises(UserError, match="not the output folder of a run"):
        evaluate(tmp_path, tmp_path / "new", dataset="oxford_pets", config="vit_b16_ctxv1")
    assert not any(tmp_path.iterdir())


def test_a_sweep_returns_its_runs_in_order_and_names_what_failed(monkeypatch, tmp_path):
    grid = npt_plugin.Grid(["oxford_pets"], ["CoOp"], [1, 2], [0.5], output=str(tmp_path))
    asked: list[int] = []

    def stub(jobs, configs, parallel):
        asked.append(parallel)
        return {"oxford_pets CoOp tau 0.5 seed 2": "out of memory"}

    monkeypatch.setattr(from_python, "run_all", stub)
    with pytest.raises(UserError, match="1 of 2 runs failed; .* seed 2: out of memory"):
        run_sweep(grid, jobs=3)
    monkeypatch.setattr(from_python, "run_all", lambda *words: {})
    monkeypatch.setattr(RunFolder, "open", classmethod(lambda cls, path: Path(path)))
    ends = [(p.parts[-7], p.name) for p in run_sweep(grid)]
    assert ends == [(part, s) for s in ("seed1", "seed2") for part in ("train_base", "test_new")]
    assert asked == [3]


def test_every_public_name_is_there_and_none_is_loaded_early():
    for name in npt_plugin.__all__:
        assert getattr(npt_plugin, name) is not None
        assert name in dir(npt_plugin)
    with pytest.raises(AttributeError, match="'npt_plugin' has no attribute 'nothing'"):
        npt_plugin.nothing  # noqa: B018
    code = "import sys, npt_plugin; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
