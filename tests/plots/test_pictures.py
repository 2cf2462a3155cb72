"""Every picture of a real run, and those of the report."""

import shutil

import pytest
import torch
from tolerance import DOUBLE, gap

from npt_plugin.plots.pictures import COMPARISONS, RUN_PICTURES, report_figures
from npt_plugin.runs.collect import Run
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.predictions import Predictions
from npt_plugin.runs.record import read_record
from npt_plugin.runs.units import Key, Unit


@pytest.mark.parametrize("name", ["training", "nc", "frequency", "reliability"])
def test_labels_do_not_overlap(trained_run, name, overlapping):
    assert not overlapping(RUN_PICTURES[name](RunFolder.open(trained_run)))


@pytest.mark.numerics
def test_the_gram_holds_what_the_run_learned(trained_run):
    figure = RUN_PICTURES["gram"](RunFolder.open(trained_run))
    text = Predictions.load(trained_run).text_features.double()
    centred = torch.nn.functional.normalize(text - text.mean(dim=0), dim=1)
    drawn = torch.tensor(figure.axes[1].images[0].get_array().tolist(), dtype=torch.float64)
    assert gap(drawn, centred @ centred.T) <= DOUBLE


def test_the_report_looks_closer_at_one_trained_run(trained_run, unit, tmp_path):
    record = read_record(trained_run / "results.json")
    runs = {"base": Run(trained_run, record), "new": Run(trained_run, record)}
    trained = Unit(Key(0.5, "pets", "NPT_CoOp", "cfg"), 1, runs)
    found = report_figures([unit("CoOp", 1, 60.0, 50.0), trained])
    captions = [caption for _, caption in found]
    assert len(captions) == len(COMPARISONS) + 3
    assert captions[-1].endswith("NPT_CoOp, pets, tau 0.5, seed 1.")
    assert all(png.startswith(b"\x89PNG") for png, _ in found)
    bare = shutil.copytree(trained_run, tmp_path / "bare")
    (bare / "predictions.safetensors").unlink()
    left = report_figures([Unit(trained.key, 1, {**runs, "base": Run(bare, record)})])
    assert len(left) == len(found) - 1  # the Gram matrix needs the predictions
