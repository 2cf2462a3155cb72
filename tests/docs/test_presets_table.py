"""The page shows the table of differences as it stands."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "hosts"))

from preset_table import as_markdown  # noqa: E402


def test_the_page_shows_every_difference_and_its_reason():
    assert as_markdown() in (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
