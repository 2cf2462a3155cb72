from __future__ import annotations

from npt_plugin.datasets.archives_fewshot import ENTRIES


def test_the_ten_small_datasets_and_their_published_splits() -> None:
    entries = {entry.name: entry for entry in ENTRIES}
    assert len(entries) == len(ENTRIES) == 10
    for name, entry in entries.items():
        (split,) = [part for part in entry.parts if "split_zhou" in part.file] or [None]
        assert (split is None) == (name == "FGVCAircraft")  # its lists are official
        if split is not None:
            assert split.file in entry.expects and split.file.endswith(f"split_zhou_{name}.json")
            assert split.gdrive and split.into is None


def test_every_archive_says_where_it_goes() -> None:
    for entry in ENTRIES:
        for part in entry.parts:
            packed = part.file.endswith((".zip", ".tgz", ".tar.gz"))
            assert (part.into is not None) == packed, part
            assert packed or part.file.split("/")[0] == entry.expects[0].split("/")[0]
