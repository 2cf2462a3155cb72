"""The one step and loop of every trainer."""

import json

import pytest
from trainer_checks import assert_same, learned

from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS

HEADED = {"Decoder", "GNM_PT", "LinearProbe", "TwoStage"}  # these keep to their classes


@pytest.mark.parametrize("name", sorted({*BASE_TRAINERS, *NPT_TRAINERS} - HEADED))
def test_every_prompt_trainer_trains_saves_loads_and_writes_a_record(make_trainer, tmp_path, name):
    trainer = make_trainer(name, output=tmp_path / "base")
    trainer.train()
    record = json.loads((tmp_path / "base" / "results.json").read_text())
    assert record["status"] == "completed" and record["trainer"] == name
    assert record["metrics"]["accuracy"] == pytest.approx(trainer.test(), abs=1e-6)
    if not trainer.model.learned():
        return
    other = make_trainer(name, "DATASET.SUBSAMPLE_CLASSES", "new", output=tmp_path / "new", seed=5)
    other.load_model(str(tmp_path / "base"), epoch=2)
    assert_same(learned(trainer), learned(other))
    folder = tmp_path / "base" / trainer.model.checkpoint_name
    assert (folder / "model.pth.tar-2").stat().st_size < 200_000


def test_no_step_waits_for_the_device(make_trainer, first_stages):
    """Every term and the summary of a step run without reading a tensor on the host."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            assert "_local_scalar_dense" not in str(func) and "nonzero" not in str(func), func
            return func(*args, **(kwargs or {}))

    options = ("TRAINER.TWO_STAGE.RUN", str(first_stages("CoOp")))
    for name in ("NPT_CoOp", "NPT_CoCoOp", "NPT_MaPLe", *sorted(HEADED)):
        trainer = make_trainer(name, *options)
        batch = next(iter(trainer.train_loader_x))
        trainer.set_model_mode("train")
        with Watch():
            trainer.losses(trainer.on_device(batch))


def test_the_chosen_images_are_recorded_with_the_run(make_trainer, tmp_path):
    trainer = make_trainer("CoOp", "DATASET.IMBALANCE.RATIO", "0.5", output=tmp_path / "run")
    trainer.train()
    text = (tmp_path / "run" / "selection.json").read_text()
    for item in trainer.dm.dataset.train_x:
        assert item.impath.rsplit("/", 1)[1] in text
