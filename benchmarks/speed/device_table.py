"""A speed measurement on one device as a table.

python benchmarks/speed/device_table.py FILE.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_SIDES = {"host": "public code", "plain": "CLIP's own modules"}


def device_table(content: dict[str, Any]) -> str:
    """Markdown: every measurement of both sides, under the device's name.

    Args:
        content: What ``measure.py --out`` wrote.
    """
    about, other = content["about"], content["about"]["other"]
    head = f"{about['device']}, torch {about['torch']}, {about['date']}: {about['model']}"
    lines = [head, "", f"| | ours | {_SIDES[other]} | times |", "|---|---|---|---|"]
    for name, found in content["found"].items():
        if isinstance(found, dict) and "ours" in found and other in found:
            ours, theirs = (_shown(name, found[side]) for side in ("ours", other))
            lines.append(f"| {name} | {ours} | {theirs} | {found[other] / found['ours']:.1f} |")
    return "\n".join(lines) + "\n"


def _shown(name: str, value: float) -> str:
    if name.endswith(("memory", "checkpoint")):
        return f"{value / 2**20:.2f} MiB"
    return f"{value:.0f} s" if name == "whole job" else f"{1000 * value:.2f} ms"


if __name__ == "__main__":
    print(device_table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), end="")
