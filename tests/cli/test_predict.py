"""``npt predict``: a line an image, and what is no image is named."""

import json
import shutil

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.predictor import Predictor


def test_a_line_an_image(run, images, capsys):
    assert cli.main(["predict", str(run), *map(str, images[:2]), "--top-k", "1", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["image"] for line in lines] == [str(p) for p in images[:2]]
    ours = Predictor.from_run(run).top_k(images[:2], 1)
    for line, ((name, p),) in zip(lines, ours, strict=True):
        assert line["top"] == [{"name": name, "p": pytest.approx(p, abs=1e-6)}]


def test_good_files_are_classified_and_bad_ones_named(run, images, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("npt_plugin.cli.predict.BATCH", 2)
    (tmp_path / "notes.txt").write_text("not an image")
    files = [images[0], tmp_path / "notes.txt", tmp_path / "none.png", tmp_path / "notes.txt"]
    files += images[1:3]
    assert cli.main(["predict", str(run), *map(str, files)]) == 2
    out, err = capsys.readouterr()
    assert [line.split(": ")[0] for line in out.splitlines()] == [str(p) for p in images[:3]]
    lines = err.splitlines()
    assert len(lines) == 3 and all(line.startswith("error: ") for line in lines)
    assert "notes.txt cannot be read as an image (cannot identify image file)" in lines[0]
    assert "There is no image" in lines[1] and "none.png" in lines[1]


def test_a_folder_stands_for_its_images(run, images, tmp_path, capsys):
    folder = tmp_path / "mine"
    (folder / "below").mkdir(parents=True)
    for name, image in zip(("b.jpg", "a.JPG"), images[:2], strict=True):
        shutil.copy(image, folder / name)
    (folder / "notes.txt").write_text("not an image")
    assert cli.main(["predict", str(run), str(folder)]) == 0
    out, err = capsys.readouterr()
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        str(folder / "a.JPG"),
        str(folder / "b.jpg"),
    ]
    assert "2 other entries left out" in err


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--top-k", "0"], "--top-k is 0; it must be at least 1"),
        (["--names", ""], "No class name was given"),
        (["--names", " , "], "No class name was given"),
    ],
)
def test_what_means_nothing_is_refused(run, images, capsys, words, sentence):
    assert cli.main(["predict", str(run), str(images[0]), *words]) == 2
    out, err = capsys.readouterr()
    assert sentence in err and not out


def test_a_folder_without_images_is_refused(run, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert cli.main(["predict", str(run), str(tmp_path / "empty")]) == 2
    assert "There is no image in the folder" in capsys.readouterr().err
