import sys

import pytest
import torch
from minidassl.utils import AverageMeter, MetricMeter, collect_env_info, setup_logger


@pytest.fixture
def console(monkeypatch, capsys):
    """``setup_logger`` replaces sys.stdout; put it back afterwards."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    yield capsys
    if hasattr(sys.stdout, "console"):
        sys.stdout.close()


def test_printed_text_goes_to_console_and_file_at_once(tmp_path, console):
    setup_logger(str(tmp_path / "run"))
    print("epoch [1/2]")
    log = tmp_path / "run" / "log.txt"
    assert log.read_text() == "epoch [1/2]\n"  # before any flush
    assert console.readouterr().out == "epoch [1/2]\n"


def test_existing_log_is_kept(tmp_path, console):
    (tmp_path / "log.txt").write_text("first run\n")
    setup_logger(str(tmp_path))
    print("second run")
    assert (tmp_path / "log.txt").read_text() == "first run\n"
    (newer,) = tmp_path.glob("log.txt-*")
    assert newer.read_text() == "second run\n"


def test_closing_leaves_the_console_open(tmp_path, console):
    setup_logger(str(tmp_path / "my.log"))
    sys.stdout.close()
    print("still here")
    assert console.readouterr().out == "still here\n"
    assert (tmp_path / "my.log").read_text() == ""


def test_no_output_folder_changes_nothing(console):
    before = sys.stdout
    setup_logger(None)
    assert sys.stdout is before


def test_average_meter_weights_by_count():
    meter = AverageMeter()
    meter.update(2.0, n=3)
    meter.update(torch.tensor(6.0))
    assert (meter.val, meter.avg, meter.count) == (6.0, 3.0, 4)
    meter.reset()
    assert meter.count == 0


def test_exponential_average():
    meter = AverageMeter(ema=True)
    meter.update(1.0)
    meter.update(3.0)
    assert meter.avg == pytest.approx(0.9 * 0.1 + 0.1 * 3.0)


def test_metric_meter_text():
    meter = MetricMeter()
    meter.update(None)
    meter.update({"loss": 1.0, "acc": torch.tensor(50.0)})
    meter.update({"loss": 2.0})
    assert str(meter) == "loss 2.0000 (1.5000) acc 50.0000 (50.0000)"
    with pytest.raises(TypeError):
        meter.update([1.0])


def test_env_info_names_versions():
    text = collect_env_info()
    assert f"PyTorch version: {torch.__version__}" in text and "Pillow (" in text
