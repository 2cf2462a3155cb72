"""How many prompts fit into memory at once: ``MODEL.TEXT_CHUNK -1``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from npt_plugin.backbone.block import Block
from npt_plugin.errors import UserError

AUTOMATIC = -1
"""Value of ``MODEL.TEXT_CHUNK`` that follows the machine."""

_SHARE = 0.5
"""Part of the free memory that the text tower's graph may take."""

_LEAST = 16
"""Smaller chunks waste more time than they save memory."""

_WIDTHS_KEPT = 14
"""Vectors of the tower's width that one token leaves in the graph of one layer (measured: 13)."""


def free_bytes(device: torch.device) -> int | None:
    """Memory that can still be had on a device; None where the system does not say.

    On a CPU: what Linux calls available, within the limit of the control group.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        try:
            free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        except (AttributeError, OSError, ValueError):
            return None
    return min(free, _group_limit(free))


def _group_limit(otherwise: int) -> int:
    """What a container's limit leaves; ``otherwise`` without a limit."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii")
        used = (folder / "memory.current").read_text(encoding="ascii")
        return max(0, int(limit) - int(used))  # "max": no limit
    except (OSError, ValueError):
        return otherwise


def bytes_per_prompt(blocks: Sequence[Block], tokens: int, context: int, element: int) -> int:
    """What one prompt leaves in the graph of the text tower.

    Args:
        blocks: Layers of the text tower.
        tokens: Positions computed for this prompt alone.
        context: Positions each of them may look at.
        element: Bytes of a number.
    """
    width, heads = blocks[0].width, blocks[0].heads
    a_token = _WIDTHS_KEPT * width + 3 * heads * context
    return len(blocks) * tokens * a_token * element


def automatic_chunk(
    blocks: Sequence[Block], tokens: int, context: int, element: int, device: torch.device
) -> int:
    """Prompts whose graph fits into half of the free memory; 0 (all) where that is unknown."""
    free = free_bytes(device)
    if free is None:
        return 0
    each = bytes_per_prompt(blocks, tokens, context, element)
    return max(_LEAST, int(free * _SHARE) // each)


def check_text_chunk(value: int) -> None:
    """Refuse a chunk that is neither a number of prompts nor one of the two special values.

    Raises:
        UserError: below -1.
    """
    if value < AUTOMATIC:
        raise UserError(
            f"MODEL.TEXT_CHUNK is {value}; use the number of classes to encode at a time, 0 for "
            "all at once, or -1 to follow the free memory."
        )
