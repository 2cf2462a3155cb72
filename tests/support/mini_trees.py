"""Miniatures of the on-disk layouts of all datasets, with odd class names and uneven sizes."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from npt_plugin.datasets.names import reader

SIZES = (40, 36, 50, 44, 20)  # images per class: the last has fewer than 16 for training


def jpeg(colour: int = 90, size: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), (colour, 30, 60)).save(buffer, "JPEG")
    return buffer.getvalue()


PICTURE = jpeg()


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PICTURE)


def text(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def folders(base: Path, names: list[str], sizes: tuple[int, ...] = SIZES) -> None:
    for name, size in zip(names, sizes, strict=True):
        for number in range(size):
            put(base / name / f"image_{number:04d}.jpg")
        (base / name / ".DS_Store").write_bytes(b"not an image")


def caltech101(root: Path) -> None:
    names = ["Faces", "airplanes", "car_side", "yin_yang", "BACKGROUND_Google", "Faces_easy"]
    folders(root / "caltech-101/101_ObjectCategories", names, (*SIZES, 30))


def oxford_pets(root: Path) -> None:
    breeds = ["Abyssinian", "american_bulldog", "Egyptian_Mau", "shiba_inu", "Sphynx"]
    lines: dict[str, list[str]] = {"trainval.txt": [], "test.txt": []}
    for label, (breed, size) in enumerate(zip(breeds, SIZES, strict=True), 1):
        for number in range(1, size + 1):
            put(root / f"oxford_pets/images/{breed}_{number}.jpg")
            part = "test.txt" if number % 3 == 0 else "trainval.txt"
            lines[part].append(f"{breed}_{number} {label} 1 {label}")
    for name, content in lines.items():
        text(root / "oxford_pets/annotations" / name, content)


def stanford_cars(root: Path) -> None:
    base = root / "stanford_cars"
    names = [
        "AM General Hummer SUV 2000",
        "Audi R8 Coupe 2012",
        "BMW M3 Coupe 2012",
        "Ram C/V Cargo Van Minivan 2012",
        "Volvo 240 Sedan 1993",
    ]
    anno = np.dtype([("class", object), ("fname", object)])
    for folder, file, share in (
        ("cars_train", "devkit/cars_train_annos.mat", 2),
        ("cars_test", "cars_test_annos_withlabels.mat", 3),
    ):
        rows = []
        for label, size in enumerate(SIZES, 1):
            for _ in range(size // share):
                name = f"{len(rows) + 1:05d}.jpg"
                put(base / folder / name)
                rows.append((np.array([[label]], dtype=np.uint8), name))
        (base / file).parent.mkdir(parents=True, exist_ok=True)
        savemat(base / file, {"annotations": np.array([rows], dtype=anno)})
    savemat(base / "devkit/cars_meta.mat", {"class_names": np.array([names], dtype=object)})


def oxford_flowers(root: Path) -> None:
    base = root / "oxford_flowers"
    labels = [label for label, size in enumerate(SIZES, 1) for _ in range(size)]
    order = np.random.RandomState(3).permutation(len(labels))
    labels = [labels[i] for i in order]  # classes interleaved: first appearance matters
    for number in range(1, len(labels) + 1):
        put(base / f"jpg/image_{number:05d}.jpg")
    savemat(base / "imagelabels.mat", {"labels": np.array([labels], dtype=np.uint8)})
    names = [
        "pink primrose",
        "hard-leaved pocket orchid",
        "king's protea",
        "canna lily",
        "héllébore",
    ]
    (base / "cat_to_name.json").write_text(
        json.dumps({str(i): name for i, name in enumerate(names, 1)}), encoding="utf-8"
    )


def food101(root: Path) -> None:
    folders(
        root / "food-101/images",
        ["apple_pie", "beef_carpaccio", "crème brûlée", "tacos", "waffles"],
    )


def fgvc_aircraft(root: Path) -> None:
    base = root / "fgvc_aircraft"
    variants = ["707-320", "A340-300", "Cessna 172", "F/A-18", "Spitfire Mk I"]
    text(base / "variants.txt", variants)
    parts: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    number = 1000
    for variant, size in zip(variants, SIZES, strict=True):
        for index in range(size):
            number += 7
            put(base / f"images/{number:07d}.jpg")
            parts[("train", "train", "val", "test")[index % 4]].append(f"{number:07d} {variant}")
    for part, lines in parts.items():
        text(base / f"images_variant_{part}.txt", lines)


def sun397(root: Path) -> None:
    base = root / "sun397"
    scenes = [
        "a/abbey",
        "a/apse/indoor",
        "c/church/outdoor",
        "t/tree_house",
        "w/wine_cellar/bottle_storage",
    ]
    text(base / "ClassName.txt", [f"/{scene}" for scene in scenes])
    parts: dict[str, list[str]] = {"Training_01.txt": [], "Testing_01.txt": []}
    for scene, size in zip(scenes, SIZES, strict=True):
        for number in range(size):
            put(base / f"SUN397/{scene}/sun_{number:04d}.jpg")
            part = "Testing_01.txt" if number % 3 == 0 else "Training_01.txt"
            parts[part].append(f"/{scene}/sun_{number:04d}.jpg")
    for part, lines in parts.items():
        text(base / part, lines)


def dtd(root: Path) -> None:
    folders(
        root / "dtd/images", ["banded", "chequered", "crosshatched", "polka-dotted", "zigzagged"]
    )


def eurosat(root: Path) -> None:
    folders(root / "eurosat/2750", ["AnnualCrop", "Forest", "Highway", "River", "SeaLake"])


def ucf101(root: Path) -> None:
    base = root / "ucf101"
    actions = {
        "ApplyEyeMakeup": "Apply_Eye_Makeup",
        "Biking": "Biking",
        "YoYo": "Yo_Yo",
        "HandStandPushups": "Hand_Stand_Pushups",
        "TaiChi": "Tai_Chi",
    }
    text(base / "ucfTrainTestlist/classInd.txt", [f"{i} {a}" for i, a in enumerate(actions, 1)])
    train, test = [], []
    for label, ((action, folder), size) in enumerate(zip(actions.items(), SIZES, strict=True), 1):
        for number in range(size):
            video = f"v_{action}_g{number:02d}_c01"
            put(base / f"UCF-101-midframes/{folder}/{video}.jpg")
            if number % 3 == 0:
                test.append(f"{action}/{video}.avi")
            else:
                train.append(f"{action}/{video}.avi {label}")
    text(base / "ucfTrainTestlist/trainlist01.txt", train)
    text(base / "ucfTrainTestlist/testlist01.txt", test)


WNIDS = ["n01440764", "n01443537", "n02110341", "n03000134", "n04254680"]
WNID_LINES = [
    "n01440764 tench",
    "n01443537 goldfish",
    "n02110341 Dalmatian",
    "n03000134 chain-link fence",
    "n04254680 soccer ball",
]


def imagenet(root: Path) -> None:
    base = root / "imagenet"
    folders(base / "images/train", WNIDS)
    folders(base / "images/val", WNIDS, (5, 5, 5, 5, 5))
    text(base / "classnames.txt", WNID_LINES)


def imagenet_v2(root: Path) -> None:
    """The CoOp reader insists on 1,000 folders, so this miniature has them all."""
    base = root / "imagenetv2"
    text(base / "classnames.txt", [f"n{i:08d} thing no {i}" for i in range(1000)])
    for label in range(1000):
        put(base / f"imagenetv2-matched-frequency-format-val/{label}/a b.jpeg")


def imagenet_sketch(root: Path) -> None:
    base = root / "imagenet-sketch"
    folders(base / "images", WNIDS, (3, 2, 4, 1, 2))
    text(base / "classnames.txt", WNID_LINES)


def imagenet_a(root: Path) -> None:
    base = root / "imagenet-adversarial"
    folders(base / "imagenet-a", WNIDS[1:4], (3, 2, 4))
    text(base / "imagenet-a/README.txt", ["read me"])
    text(base / "classnames.txt", WNID_LINES)


def imagenet_r(root: Path) -> None:
    base = root / "imagenet-rendition"
    folders(base / "imagenet-r", [WNIDS[0], WNIDS[2], WNIDS[4]], (3, 2, 4))
    text(base / "imagenet-r/README.txt", ["read me"])
    text(base / "classnames.txt", WNID_LINES)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "Caltech101": caltech101,
    "DescribableTextures": dtd,
    "EuroSAT": eurosat,
    "FGVCAircraft": fgvc_aircraft,
    "Food101": food101,
    "ImageNet": imagenet,
    "ImageNetA": imagenet_a,
    "ImageNetR": imagenet_r,
    "ImageNetSketch": imagenet_sketch,
    "ImageNetV2": imagenet_v2,
    "OxfordFlowers": oxford_flowers,
    "OxfordPets": oxford_pets,
    "StanfordCars": stanford_cars,
    "SUN397": sun397,
    "UCF101": ucf101,
}


def published_split(root: Path, name: str) -> None:
    """A dataset of which the published split is known, as large: its class names, its counts.

    One tiny picture lies under every name of a split file.
    """
    facts = json.loads((_HELD / "real_fewshot_choices.json").read_text(encoding="utf-8"))[name]
    names = json.loads((_HELD / "real_class_names.json").read_text(encoding="utf-8"))[name]
    about = reader(name)
    base = root / about.dataset_dir
    shares = [facts["sizes"][2] // facts["classes"]] * facts["classes"]
    shares[0] += facts["sizes"][2] - sum(shares)
    parts = {"train": facts["train_labels"], "val": facts["val_labels"], "test": enumerate(shares)}
    split: dict[str, list] = {}
    first = base / about.image_dir / "picture.jpg"
    put(first)
    for part, runs in parts.items():
        split[part] = []
        for label, count in runs:
            kind = f"class_{label:03d}"
            (first.parent / kind).mkdir(exist_ok=True)
            for _ in range(count):
                file = f"{kind}/{part}_{len(split[part]):05d}.jpg"
                os.link(first, first.parent / file)
                split[part].append([file, label, names[label]])
    first.unlink()
    (base / f"split_zhou_{name}.json").write_text(json.dumps(split), encoding="utf-8")


_HELD = Path(__file__).parents[1] / "datasets"
PUBLISHED = ("Caltech101", "DescribableTextures", "EuroSAT", "OxfordFlowers", "OxfordPets")
PUBLISHED += ("StanfordCars", "UCF101")
"""Those that ``published_split`` knows."""

TEST_ONLY = ("ImageNetA", "ImageNetR", "ImageNetSketch", "ImageNetV2")
WITHOUT_SPLIT_FILE = (*TEST_ONLY, "ImageNet", "FGVCAircraft")
