"""Pages that mkdocs does not see: what README, CONTRIBUTING and CHANGELOG link to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def targets(text: str) -> list[str]:
    return [link for link in LINK.findall(text) if "://" not in link]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str):
    found = targets((ROOT / name).read_text(encoding="utf-8"))
    assert found
    assert [link for link in found if not (ROOT / link).exists()] == []


def test_a_dead_link_is_seen():
    assert targets("[a](docs/b.md#c) ![d](e.png) [f](https://g.h/i)") == ["docs/b.md", "e.png"]


def test_pictures_are_small_and_none_is_left_over():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 100_000, picture
        assert f"images/{picture.name}" in text, f"{picture} stands on no page"
