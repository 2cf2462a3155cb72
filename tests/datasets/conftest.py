"""Makes the helper modules of this folder (``mini_trees``, ``data_cfg``) importable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
