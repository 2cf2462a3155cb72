"""Small archives and catalogue entries over a file server."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from typing import Any

from file_server import FileServer

from npt_plugin.datasets.archives import Bundle, Entry, Mirror, Part

SPLIT = b'{"train": [], "val": [], "test": []}'
IMAGES = {"images/a b/1.jpg": b"1", "images/c/2.jpg": b"2"}
EXPECTS = ("toy/images", "toy/split_zhou_Toy.json")


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


WHOLE = zipped(
    {f"Toy/{name}": content for name, content in IMAGES.items()}
    | {"Toy/split_zhou_Toy.json": SPLIT, "Toy/split_fewshot/shot_1.pkl": b"a pickle"}
)


def toy(server: FileServer, name: str = "Toy", **keys: Any) -> Entry:
    """An entry like the few-shot ones: images from two publishers, a split, a bundle.

    The server has everything at first; tests take away from it.
    """
    archive = zipped(IMAGES)
    server.files |= {
        "/i.zip": archive,
        "/second/i.zip": archive,
        "/split": SPLIT,
        "/hub/toy.zip": WHOLE,
    }
    hub = f"{server.url}/hub/toy.zip"
    split = "split_zhou_Toy.json"
    parts = (
        Part(
            "i.zip",
            (
                Mirror("publisher", f"{server.url}/i.zip", file="i.zip", md5=md5(archive)),
                Mirror("torchvision", f"{server.url}/second/i.zip", file="i.zip"),
            ),
            ("toy/images",),
            into="toy",
            mb=2,
        ),
        Part(
            f"toy/{split}",
            (
                Mirror("publisher", f"{server.url}/split", file=split),
                Mirror("huggingface", hub, file=split, member=split),
            ),
            (f"toy/{split}",),
        ),
    )
    bundle = Bundle(Mirror("huggingface", hub, file="toy.zip", bytes=len(WHOLE)), 3)
    return Entry(name, "Toy", "1 kB", "none", EXPECTS, parts, **{"bundle": bundle, **keys})
