"""``npt data``: what it prints and how it exits."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from class_trees import class_folders
from mini_trees import BUILDERS

from npt_plugin.cli.data import main
from npt_plugin.datasets.catalogue import CATALOGUE


def test_list_names_every_dataset(capsys: pytest.CaptureFixture) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in CATALOGUE)


def test_status_shows_expected_against_there(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    BUILDERS["FGVCAircraft"](tmp_path)
    assert main(["status", "--root", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    states = {line.split()[0]: line.split(None, 1)[1].strip() for line in lines if line.strip()}
    assert states["FGVCAircraft"] == "complete" and states["SUN397"] == "absent"
    (tmp_path / "fgvc_aircraft/variants.txt").unlink()
    assert main(["status", "FGVCAircraft", "--root", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "MISSING  fgvc_aircraft/variants.txt" in out and "ok       fgvc_aircraft/images" in out


def test_verify_finds_missing_and_broken_images(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    BUILDERS["EuroSAT"](tmp_path)
    assert main(["verify", "EuroSAT", "--root", str(tmp_path)]) == 1  # too small, and whole
    out = capsys.readouterr().out
    assert "5 classes, split" in out and "1 problem(s)" in out
    assert (
        "the split has 5 classes, 95 training, 38 validation and 57 test images; the published "
        "one has 10 classes, 13,500 training, 5,400 validation and 8,100 test images" in out
    )
    for number in (3, 4):
        (tmp_path / f"eurosat/2750/River/image_{number:04d}.jpg").unlink()
    (tmp_path / "eurosat/2750/Forest/image_0001.jpg").write_bytes(b"broken")
    assert main(["verify", "EuroSAT", "--root", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "eurosat/2750': 2\n    River/image_0003.jpg\n    River/image_0004.jpg\n" in out
    assert "unreadable: 1\n    Forest/image_0001.jpg: cannot identify image file\n" in out
    assert "4 problem(s)" in out
    assert main(["verify", "EuroSAT", "--root", str(tmp_path), "--fast"]) == 1
    assert "3 problem(s)" in capsys.readouterr().out


def test_verify_without_images_is_short(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    BUILDERS["StanfordCars"](tmp_path)
    main(["verify", "StanfordCars", "--root", str(tmp_path), "--fast"])  # draws the split
    for folder in ("cars_train", "cars_test"):
        shutil.rmtree(tmp_path / "stanford_cars" / folder)
    capsys.readouterr()
    assert main(["verify", "StanfordCars", "--root", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert len(out.splitlines()) <= 14
    assert "156 (95 in cars_train, 61 in cars_test)" in out and "... and 151 more" in out
    assert "157 problem(s)" in out
    assert main(["verify", "StanfordCars", "--root", str(tmp_path), "--all"]) == 1
    assert capsys.readouterr().out.count(".jpg") == 156


def test_verify_reports_what_a_folder_of_ones_own_holds_beside_its_split(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    class_folders(tmp_path, {"cat": 6, "dog": 6})
    words = ["verify", "image_folder", "--root", str(tmp_path)]
    assert main(words) == 0
    assert "no problem found" in capsys.readouterr().out
    class_folders(tmp_path, {"owl": 3, "dog/puppies": 2, "cat": 8})
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "1 class folder(s) with 3 image(s) came after" in out
    assert "2 image(s) came after 'split_npt.json' was drawn" in out
    assert "2 image(s) in folders inside a class folder are left out" in out
    assert "3 problem(s)" in out


def test_describe_shows_counts_and_prompts(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    BUILDERS["EuroSAT"](tmp_path)
    pairs = "DATASET.NUM_SHOTS 16 DATASET.IMBALANCE.RATIO 0.06".split()
    root = ["--root", str(tmp_path)]
    for words in (  # flags before, between and after the overrides
        ["EuroSAT", *root, *pairs],
        ["EuroSAT", *pairs, *root],
        ["eurosat", *pairs[:2], *root, *pairs[2:]],
        [*root, "ImbalancedEuroSAT", *pairs],
    ):
        assert main(["describe", *words]) == 0
        out = capsys.readouterr().out
        assert "31 images, 5 classes, most 16, least 1, n_min/n_max 0.0625" in out
        assert "prompt: a centered satellite photo of Annual Crop Land." in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["download", "OxfordPet"], "did you mean 'OxfordPets'"),
        (["status", "Places"], "Unknown dataset 'Places' .did you mean 'PlacesLT'"),
        (["download", "embedded_pairs"], "There is nothing to download for 'EmbeddedPairs'"),
        (["verify", "Euro-sats"], "did you mean 'EuroSAT'"),
        (["verify", "EuroSAT"], "does not exist; put the data under DATASET.ROOT"),
        (["describe", "EuroSAT", "DATASET.NUM_SHOT", "16"], "did you mean 'DATASET.NUM_SHOTS'"),
        (["describe", "EuroSAT", "DATASET.NUM_SHOTS=16"], "space: 'DATASET.NUM_SHOTS 16', not"),
        (["describe", "EuroSAT", "DATASET.NUM_SHOTS"], "no partner"),
        (["describe", "EuroSAT", "--rot", "x"], "Unknown flag '--rot'"),
        (["status", "EuroSAT", "SEED", "1"], "does not know what to do with 'SEED'"),
        (["download", "PlacesLT"], "still missing: .*By hand, with ROOT = "),
    ],
)
def test_mistakes_end_in_one_sentence_and_exit_code_2(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main([*words, "--root", str(tmp_path / "none")]) == 2
    captured = capsys.readouterr()
    assert re.search(sentence, captured.err) and captured.err.count("\n") == 1
    assert captured.err.startswith("error: ")
