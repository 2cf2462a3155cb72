"""Where each dataset comes from: links, checksums, layout, licence note. All facts in one table.

Links die; a link that changed is mended in ``sources_fewshot.py`` or ``sources_large.py`` and
nowhere else. Google Drive ids are those of the CoOp family's dataset notes; checksums and most
links are torchvision's.
"""

from __future__ import annotations

from npt_plugin.datasets import sources_fewshot, sources_large
from npt_plugin.datasets.sources import Entry, Part

__all__ = ["CATALOGUE", "Entry", "Part"]

CATALOGUE = {entry.name: entry for entry in (*sources_fewshot.ENTRIES, *sources_large.ENTRIES)}
"""Registry name to entry."""
