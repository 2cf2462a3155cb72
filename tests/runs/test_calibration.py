"""The temperature of a real run: fitted on validation images, kept, and fitted again if damaged."""

import json
import shutil
from dataclasses import replace

import pytest
from tolerance import DOUBLE, gap

from npt_plugin.errors import UserError
from npt_plugin.predictor import Predictor
from npt_plugin.runs.calibration import CALIBRATION, run_temperature
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.layout import RESULTS
from npt_plugin.runs.record import read_record, write_record


@pytest.fixture
def run(trained_run, tmp_path):
    """A copy of the trained run that a test may write to."""
    return shutil.copytree(trained_run, tmp_path / "copy")


@pytest.fixture
def images(pets_root, trained_run):
    names = read_record(trained_run / RESULTS).class_names
    folder = pets_root / "oxford_pets" / "images"
    return [p for n in names for p in sorted(folder.glob(f"{n.replace(' ', '_')}_test_*.jpg"))]


@pytest.mark.numerics
def test_calibration_is_fitted_on_validation_images_and_kept(run, images):
    predictor = Predictor.from_run(run, calibrated=True)
    kept = json.loads((run / CALIBRATION).read_text())
    assert kept["split"] == "val" and kept["images"] == 6
    assert predictor.temperature == kept["temperature"] != 1.0
    other = Predictor.from_run(run, ["cat", "dog"], calibrated=True)
    assert other.temperature == predictor.temperature
    (run / CALIBRATION).write_text("{")  # damaged: fitted again, on the run's own classes
    again = Predictor.from_run(run, ["cat", "dog"], calibrated=True)
    assert again.temperature == pytest.approx(predictor.temperature)
    plain = Predictor.from_run(run)
    assert gap(predictor.logits(images) * predictor.temperature, plain.logits(images)) <= DOUBLE


def test_a_kept_temperature_is_not_fitted_again(run):
    (run / CALIBRATION).write_text('{"temperature": 1.5}')
    assert run_temperature(RunFolder.open(run), lambda: pytest.fail("loaded")) == 1.5


def test_other_classes_are_refused(run):
    record = read_record(run / RESULTS)
    write_record(run, replace(record, class_names=record.class_names[::-1]))
    with pytest.raises(UserError, match="other classes now"):
        Predictor.from_run(run, calibrated=True)
    assert not (run / CALIBRATION).exists()
