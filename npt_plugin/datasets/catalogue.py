"""Where each dataset comes from: links, checksums, layout, licence note. All facts in one table.

Links die; a link that changed is mended in ``archives_fewshot.py`` or ``archives_large.py`` and
nowhere else. Google Drive ids are those of the CoOp family's dataset notes; checksums and most
links are torchvision's.
"""

from __future__ import annotations

from npt_plugin.datasets import archives_fewshot, archives_large
from npt_plugin.datasets.archives import Entry, Part

__all__ = ["CATALOGUE", "Entry", "Part"]

CATALOGUE = {entry.name: entry for entry in (*archives_fewshot.ENTRIES, *archives_large.ENTRIES)}
"""Registry name to entry."""
