"""Everything here needs a GPU: one marker, one reason to skip."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
SKIP = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.gpu)
            item.add_marker(SKIP)


@pytest.fixture(autouse=True)
def plain_float32():
    """Float32 means float32: cuDNN's convolutions would round to TF32."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before
