"""Every picture from a real run: files are whole, labels do not overlap, numbers are right."""

import shutil
import xml.etree.ElementTree as ElementTree

import pytest
import torch

pytest.importorskip("matplotlib")

from npt_plugin.cli import main as cli
from npt_plugin.cli import plot as command
from npt_plugin.plots import classes, geometry
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.predictions import Predictions


def overlapping(figure):
    """Pairs of tick labels of one axis that cover each other, after drawing."""
    figure.canvas.draw()
    found = []
    for axes in figure.axes:
        for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
            texts = [t for t in axis.get_ticklabels() if t.get_text() and t.get_visible()]
            if any(t.get_rotation() % 180 for t in texts):
                continue  # slanted labels have boxes that overlap though the words do not
            boxes = sorted((t.get_window_extent() for t in texts), key=lambda b: b.p0[side])
            pairs = zip(boxes, boxes[1:], strict=False)
            found += [1 for a, b in pairs if a.p1[side] > b.p0[side] + 1]
    return found


def test_npt_plot_draws_everything_of_a_run(trained_run, tmp_path, capsys):
    run = shutil.copytree(trained_run, tmp_path / "run")
    assert cli.main(["plot", str(run)]) == 0
    out = capsys.readouterr().out
    assert "left out" not in out
    for name in command.RUN_PICTURES:
        assert (run / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert ElementTree.parse(run / "plots" / f"{name}.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize("name", ["training", "nc", "frequency", "reliability"])
def test_labels_do_not_overlap(trained_run, name):
    figure = command.RUN_PICTURES[name](RunFolder.open(trained_run))
    assert not overlapping(figure)


def test_the_same_run_gives_the_same_file(trained_run, tmp_path):
    words = ["plot", str(trained_run), "--only", "confusion", "--output"]
    for name in ("a", "b"):
        assert cli.main([*words, str(tmp_path / name)]) == 0
    first, second = ((tmp_path / d / "confusion.svg").read_bytes() for d in ("a", "b"))
    assert first == second


def test_an_unknown_picture_and_missing_data_are_one_sentence(trained_run, tmp_path, capsys):
    assert cli.main(["plot", str(trained_run), "--only", "pie"]) == 2
    assert "'pie'" in capsys.readouterr().err
    run = shutil.copytree(trained_run, tmp_path / "run")
    (run / "predictions.safetensors").unlink()
    assert cli.main(["plot", str(run), "--only", "confusion"]) == 2
    assert "SAVE_PREDICTIONS" in capsys.readouterr().err


def kept(logits, labels):
    k = logits.shape[1]
    features = torch.nn.functional.normalize(torch.randn(len(labels), 8), dim=1)
    names = [f"class_{i}" for i in range(k)]
    return Predictions(logits, labels, features, torch.eye(k, 8), names)


def test_the_confusion_matrix_has_true_classes_as_rows():
    logits = torch.tensor([[5.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 0.0]])
    figure = classes.confusion_matrix(kept(logits, torch.tensor([0, 0, 1, 1])))
    assert figure.axes[0].images[0].get_array().tolist() == [[100, 0], [50, 50]]


def test_the_gram_of_an_etf_is_the_target():
    from npt_plugin.geometry import simplex_etf

    vertices = simplex_etf(4, 8)
    vertices = vertices if vertices.shape == (4, 8) else vertices.T
    figure = geometry.text_gram(torch.randn(4, 8), vertices, list("abcd"))
    drawn = [torch.tensor(axis.images[0].get_array().tolist()) for axis in figure.axes[:3]]
    torch.testing.assert_close(drawn[1], drawn[2], atol=1e-5, rtol=0)
