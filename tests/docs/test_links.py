"""What README, CONTRIBUTING and CHANGELOG link to is there; mkdocs looks at the pages of docs/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def targets(text: str) -> list[tuple[str, str]]:
    """File ("" for the page itself) and anchor of every link that leads to no other site."""
    parts = (link.partition("#") for link in LINK.findall(text) if "://" not in link)
    return [(file, anchor) for file, _, anchor in parts]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings."""
    plain = FENCED.sub("", text)
    words = (re.sub(r"[^\w\s-]", "", head.lower()).strip() for head in HEADING.findall(plain))
    return {re.sub(r"\s", "-", head) for head in words}


def dead(page: Path) -> list[str]:
    found = []
    for file, anchor in targets(page.read_text(encoding="utf-8")):
        place = page.parent / file if file else page
        if not place.exists():
            found.append(file)
        elif anchor and anchor not in anchors(place.read_text(encoding="utf-8")):
            found.append(f"{file}#{anchor}")
    return found


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str):
    assert targets((ROOT / name).read_text(encoding="utf-8"))
    assert dead(ROOT / name) == []


def test_a_dead_link_is_seen(tmp_path):
    assert targets("[a](docs/b.md#c) ![d](e.png) [f](https://g.h/i)") == [
        ("docs/b.md", "c"),
        ("e.png", ""),
    ]
    (tmp_path / "b.md").write_text("# One, two\n```\n# no head\n```\n")
    page = tmp_path / "a.md"
    page.write_text("[1](b.md#one-two) [2](b.md#no-head) [3](#none) [4](gone.md)\n# Here")
    assert dead(page) == ["b.md#no-head", "#none", "gone.md"]


def test_every_page_is_in_the_index_of_the_readme():
    linked = {file for file, _ in targets(README)}
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert pages - linked == {"docs/changelog.md"}  # CHANGELOG.md itself is


def test_pictures_are_small_and_none_is_left_over():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 100_000, picture
        assert f"images/{picture.name}" in text, f"{picture} stands on no page"


def test_the_first_page_stays_short():
    assert len(README.splitlines()) <= 150
    prose = re.sub(r"^\|.*$|<!--.*?-->", "", FENCED.sub("", README), flags=re.MULTILINE)
    words = re.findall(r"\w[\w'-]*", LINK.sub("]", prose))
    assert len(words) <= 1150, len(words)


def test_the_first_page_has_its_pictures_each_said_in_words():
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
    assert [Path(file).stem for _, file in pictures] == ["frequency", "report", "differences"]
    assert all(len(said.split()) > 3 for said, _ in pictures)
