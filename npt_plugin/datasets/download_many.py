"""Several datasets at a time, under one bar."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from npt_plugin.datasets.archives import Entry
from npt_plugin.datasets.download import get_dataset, manual_text
from npt_plugin.datasets.download_plan import PlannedFile
from npt_plugin.datasets.placing import DOWNLOADS, Getting, scratch
from npt_plugin.datasets.transfer import Transfer
from npt_plugin.datasets.words import MB
from npt_plugin.errors import UserError
from npt_plugin.system.locks import run_lock


def get_datasets(
    entries: Sequence[Entry], files: Sequence[PlannedFile], how: Getting, jobs: int
) -> dict[str, str]:
    """Get several datasets, the largest first; one that fails does not stop the others.

    Args:
        entries: The datasets.
        files: The plan for all of them: says how many bytes to expect.
        how: Where to, and where from.
        jobs: Datasets at a time.

    Returns:
        Name to a sentence about what went wrong or is still missing; "" where all is well.

    Raises:
        UserError: The root cannot be written, or another download works in it.
        KeyboardInterrupt: Stopped by the user; what has arrived is kept.
    """
    sizes = {entry.name: sum(f.mb for f in files if f.dataset == entry.name) for entry in entries}
    transfer = Transfer(int(sum(file.mb for file in files if file.fetched) * MB))
    how = replace(how, transfer=transfer)
    ends: dict[str, str] = {}
    with run_lock(how.root / DOWNLOADS, "name another --root"), ThreadPoolExecutor(jobs) as pool:
        largest_first = sorted(entries, key=lambda entry: -sizes[entry.name])
        running = {pool.submit(get_dataset, entry, how): entry for entry in largest_first}
        try:
            for done in as_completed(running):
                entry = running[done]
                try:
                    gone = done.result()
                    ends[entry.name] = _still_missing(entry, gone, how.root) if gone else ""
                except UserError as error:
                    ends[entry.name] = str(error)
                transfer.say(ends[entry.name] or f"{entry.name}: all there")
                _remove_if_empty(scratch(entry, how.root))
        except BaseException:  # Ctrl-C above all: the others end at their next bytes
            transfer.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            transfer.close()
    return {entry.name: ends[entry.name] for entry in entries}


def _still_missing(entry: Entry, gone: Sequence[str], root: Path) -> str:
    return f"{entry.name}: still missing: {', '.join(gone)}.{manual_text(entry, root)}"


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
