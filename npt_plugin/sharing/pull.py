"""Turn a published folder, or one on a model hub, into a run that every command takes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import CONFIG, RESULTS
from npt_plugin.runs.record import read_record, write_record
from npt_plugin.sharing.hub import PREFIX, download
from npt_plugin.sharing.learned_file import LEARNED, Learned
from npt_plugin.sharing.publish import SUMS
from npt_plugin.system.files import write_text

_NEEDED = (LEARNED, RESULTS, CONFIG)


def pull(source: str, output: str | Path) -> Path:
    """Make a run of what was published; nothing is written unless all of it is whole.

    Args:
        source: A folder, or ``hf:ORG/NAME``, with ``@REVISION`` if wanted.
        output: The run's folder; it must not exist, or be empty.

    Returns:
        The run's folder: ``npt eval``, ``predict``, ``report`` take it, and ``MODEL.INIT_WEIGHTS``
        takes the checkpoint in it.

    Raises:
        UserError: If the source is absent, damaged, or was not published by this package.
    """
    output = Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"{output} is not empty: give a new folder.")
    folder = download(source) if source.startswith(PREFIX) else Path(source).expanduser()
    _check(folder)
    learned, record = Learned.load(folder / LEARNED), read_record(folder / RESULTS)
    text = (folder / CONFIG).read_text(encoding="utf-8")
    learned.as_checkpoint(output)
    write_text(output / CONFIG, text)
    write_record(output, record)  # last: a folder with a record is a run
    return output


def _check(folder: Path) -> None:
    """Compare every file with its checksum."""
    sums = folder / SUMS
    if not sums.is_file():
        raise UserError(f"{folder} was not written by `npt publish`: it has no {SUMS}.")
    lines = (line.split(None, 1) for line in sums.read_text("utf-8").splitlines())
    said = {words[1]: words[0] for words in lines if len(words) == 2}
    for name in _NEEDED:
        path = folder / name
        if not path.is_file() or name not in said:
            raise UserError(f"{folder} is incomplete: {name} or its checksum is missing.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != said[name]:
            raise UserError(f"{path} is damaged, its checksum does not hold: get it anew.")
