from __future__ import annotations

import pytest

from npt_plugin.datasets.words import size_in_words


@pytest.mark.parametrize(
    ("mb", "words"),
    [(0, "under 1 MB"), (0.7, "under 1 MB"), (94.3, "94 MB"), (4996, "5.0 GB"), (39000, "39 GB")],
)
def test_sizes(mb: float, words: str) -> None:
    assert size_in_words(mb) == words
