"""Each of the fifteen readers on a miniature of its real layout."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from data_cfg import make_cfg
from mini_trees import BUILDERS, SIZES, TEST_ONLY, WITHOUT_SPLIT_FILE

from npt_plugin.datasets.names import reader
from npt_plugin.errors import UserError

NAMES = {
    "Caltech101": ["face", "airplane", "car_side", "yin_yang"],
    "DescribableTextures": ["banded", "chequered", "crosshatched", "polka-dotted", "zigzagged"],
    "EuroSAT": ["Annual Crop Land", "Forest", "Highway or Road", "River", "Sea or Lake"],
    "FGVCAircraft": ["707-320", "A340-300", "Cessna 172", "F/A-18", "Spitfire Mk I"],
    "Food101": ["apple_pie", "beef_carpaccio", "crème brûlée", "tacos", "waffles"],
    "ImageNet": ["tench", "goldfish", "Dalmatian", "chain-link fence", "soccer ball"],
    "ImageNetA": ["goldfish", "Dalmatian", "chain-link fence"],
    "ImageNetR": ["tench", "Dalmatian", "soccer ball"],
    "ImageNetSketch": ["tench", "goldfish", "Dalmatian", "chain-link fence", "soccer ball"],
    "OxfordFlowers": [
        "pink primrose",
        "hard-leaved pocket orchid",
        "king's protea",
        "canna lily",
        "héllébore",
    ],
    "OxfordPets": ["abyssinian", "american_bulldog", "egyptian_mau", "shiba_inu", "sphynx"],
    "StanfordCars": [
        "2000 AM General Hummer SUV",
        "2012 Audi R8 Coupe",
        "2012 BMW M3 Coupe",
        "2012 Ram C/V Cargo Van Minivan",
        "1993 Volvo 240 Sedan",
    ],
    "SUN397": [
        "abbey",
        "indoor apse",
        "outdoor church",
        "tree_house",
        "bottle_storage wine_cellar",
    ],
    "UCF101": ["Apply_Eye_Makeup", "Biking", "Yo_Yo", "Hand_Stand_Pushups", "Tai_Chi"],
}
NAMES["ImageNetV2"] = [f"thing no {i}" for i in range(1000)]
# Caltech-101: of six folders the two ignored ones are gone, upper case sorts first.

FEW_SHOT = [name for name in BUILDERS if name not in TEST_ONLY]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("trees with spaces ü")
    roots = {}
    for name, build in BUILDERS.items():
        roots[name] = base / name
        build(roots[name])
    return roots


def _sizes(items: list) -> list[int]:
    counts = Counter(i.label for i in items)
    return [counts[label] for label in range(max(counts) + 1)]


@pytest.mark.parametrize("name", list(BUILDERS))
def test_names_counts_and_files(trees: dict[str, Path], name: str) -> None:
    data = reader(name)(make_cfg(trees[name]))
    assert data.classnames == NAMES[name]
    assert data.num_classes == len(NAMES[name])
    assert data.lab2cname == dict(enumerate(NAMES[name]))
    for item in (*data.train_x, *(data.val or []), *data.test):
        assert item.classname == NAMES[name][item.label]
        assert os.path.isfile(item.impath)
    everything = {i.impath for i in (*data.train_x, *(data.val or []), *data.test)}
    if name in TEST_ONLY:
        assert data.val is None
        assert [i.impath for i in data.train_x] == [i.impath for i in data.test]
    elif name == "ImageNet":
        assert data.val is data.test
        assert _sizes(data.train_x) == list(SIZES)
        assert len(data.test) == 25
    elif name != "StanfordCars":  # nothing is lost: every image is in exactly one part
        assert len(everything) == sum(SIZES[: len(NAMES[name])])
        assert len(everything) == len(data.train_x) + len(data.val) + len(data.test)


@pytest.mark.parametrize("name", FEW_SHOT)
def test_sixteen_shots_halves_and_imbalance(trees: dict[str, Path], name: str) -> None:
    def build(**keys: object) -> object:
        return reader(name)(make_cfg(trees[name], NUM_SHOTS=16, **keys))

    full = reader(name)(make_cfg(trees[name]))
    whole, base, new = (build(SUBSAMPLE_CLASSES=half) for half in ("all", "base", "new"))
    assert _sizes(whole.train_x) == [min(16, n) for n in _sizes(full.train_x)]
    half = -(-len(NAMES[name]) // 2)
    assert base.classnames == NAMES[name][:half]
    assert new.classnames == NAMES[name][half:]
    shots = [i.impath for i in whole.train_x]
    assert [i.impath for i in (*base.train_x, *new.train_x)] == shots or name == "OxfordFlowers"
    assert {i.impath for i in (*base.train_x, *new.train_x)} == set(shots)
    assert len(base.test) + len(new.test) == len(whole.test) == len(full.test)
    for tau in (0.25, 0.06):
        skewed = build(SUBSAMPLE_CLASSES="base", imbalance={"RATIO": tau})
        want = [max(1, round(16 * tau ** (k / (half - 1)))) for k in range(half)]
        have = _sizes(base.train_x)
        assert _sizes(skewed.train_x) == [min(w, h) for w, h in zip(want, have, strict=True)]
        assert {i.impath for i in skewed.train_x} <= {i.impath for i in base.train_x}
        assert [i.impath for i in skewed.test] == [i.impath for i in base.test]
        assert skewed.classnames == base.classnames


@pytest.mark.parametrize("name", TEST_ONLY)
def test_test_only_sets_are_never_cut(trees: dict[str, Path], name: str) -> None:
    full = reader(name)(make_cfg(trees[name]))
    cut = reader(name)(
        make_cfg(trees[name], NUM_SHOTS=1, SUBSAMPLE_CLASSES="new", imbalance={"RATIO": 0.1})
    )
    assert [i.impath for i in cut.test] == [i.impath for i in full.test]
    assert cut.classnames == full.classnames


@pytest.mark.parametrize("name", [n for n in BUILDERS if n not in WITHOUT_SPLIT_FILE])
def test_the_drawn_split_is_saved_and_read_again(trees: dict[str, Path], name: str) -> None:
    first = reader(name)(make_cfg(trees[name], seed=1))
    (path,) = trees[name].glob("*/split_zhou_*.json")
    assert path.name == f"split_zhou_{name}.json"
    again = reader(name)(make_cfg(trees[name], seed=2))  # another seed, the same split
    assert [i.impath for i in again.test] == [i.impath for i in first.test]
    part = json.loads(path.read_text(encoding="utf-8"))["test"]
    assert [Path(i.impath).name for i in first.test] == [Path(p).name for p, _, _ in part]


@pytest.mark.parametrize("name", list(BUILDERS))
def test_absent_data_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"does not exist.*npt data download {name}") as caught:
        reader(name)(make_cfg(tmp_path))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_split_that_names_a_missing_file(tmp_path: Path) -> None:
    BUILDERS["EuroSAT"](tmp_path)
    reader("EuroSAT")(make_cfg(tmp_path))
    (tmp_path / "eurosat/2750/River/image_0003.jpg").unlink()
    with pytest.raises(UserError, match="1 of .* images are missing .*River/image_0003.jpg"):
        reader("EuroSAT")(make_cfg(tmp_path))


def test_empty_class_folder_and_missing_annotation(tmp_path: Path) -> None:
    BUILDERS["EuroSAT"](tmp_path)
    (tmp_path / "eurosat/2750/Zero").mkdir()
    with pytest.raises(UserError, match="Zero' is empty"):
        reader("EuroSAT")(make_cfg(tmp_path))
    assert not list(tmp_path.glob("*/split*.json"))  # nothing half-written
    BUILDERS["OxfordPets"](tmp_path)
    (tmp_path / "oxford_pets/annotations/test.txt").unlink()
    with pytest.raises(UserError, match="test.txt' is missing"):
        reader("OxfordPets")(make_cfg(tmp_path))
    BUILDERS["StanfordCars"](tmp_path)
    (tmp_path / "stanford_cars/devkit/cars_meta.mat").write_bytes(b"not matlab")
    with pytest.raises(UserError, match="cars_meta.mat' cannot be read"):
        reader("StanfordCars")(make_cfg(tmp_path))


def test_imagenet_pickle_of_a_host_is_not_opened(tmp_path: Path) -> None:
    BUILDERS["ImageNet"](tmp_path)
    (tmp_path / "imagenet/preprocessed.pkl").write_bytes(b"would raise if it were loaded")
    assert reader("ImageNet")(make_cfg(tmp_path)).num_classes == 5
