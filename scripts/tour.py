"""The commands of docs/tour.md, run one after the other in an empty folder.

    python scripts/tour.py          # write what they print into the page
    python scripts/tour.py check    # compare: words exactly, numbers nearly, times not at all

A command stands behind ``$ `` in a block marked ``console``; what follows is what it printed, long
outputs with ``...`` in the middle. What goes into a pipe holds no colour and no progress bar.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tour.md"
BLOCK = re.compile(r"(```console\n)(\$ .*?)(```)", re.DOTALL)
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
ENDED = re.compile(r"\[\d+/\d+\] ")
TIMES = re.compile(r"\b(time|eta|elapsed|seconds|about|preparing|MiB|KiB)\b", re.IGNORECASE)
OF_MACHINE = ("npt doctor",)
"""What these print depends on the machine: only how each line begins is compared."""

HEAD, TAIL = 9, 7
"""Lines shown of a long output."""


def commands(page: str) -> Iterator[tuple[str, list[str]]]:
    """Every command, its lines put together, and the lines that the page shows below it."""
    for block in BLOCK.finditer(page):
        for part in ("\n" + block[2].rstrip("\n")).split("\n$ ")[1:]:
            lines = part.split("\n")
            count = 1
            while lines[count - 1].endswith("\\"):
                count += 1
            yield " ".join(line.rstrip("\\").strip() for line in lines[:count]), lines[count:]


def printed(command: str) -> list[str]:
    """What a command prints, cut in the middle where it is long.

    Raises:
        SystemExit: If it fails, or writes what belongs on a terminal only.
    """
    words = shlex.split(command)
    if words[0] == "npt":
        from npt_plugin.cli.main import main

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words[1:])
        text, aside = out.getvalue(), err.getvalue()
    else:
        done = subprocess.run(
            [sys.executable, *words[1:]], capture_output=True, text=True, check=False
        )
        code, text, aside = done.returncode, done.stdout, done.stderr
    if code or set("\r\x1b") & set(text + aside):
        raise SystemExit(f"{command}: exit code {code}\n{text}\n{aside!r}")
    lines = [line.rstrip() for line in _anywhere(text).strip("\n").split("\n")]
    if len(lines) > HEAD + TAIL + 2:
        lines = [*lines[:HEAD], "...", *lines[-TAIL:]]
    return lines


def _anywhere(text: str) -> str:
    """The same without what belongs to this machine and this commit."""
    for place, name in ((Path.cwd(), "."), (ROOT, "CHECKOUT"), (Path.home(), "~")):
        text = text.replace(str(place), name)
    return re.sub(r", git [0-9a-f]+(-dirty)?", "", text)


def differ(command: str, shown: list[str], found: list[str]) -> str:
    """Why the page is not what was printed now, or an empty string."""
    if any(word in command for word in OF_MACHINE):
        shown, found = ([line.split(" ")[0] for line in lines] for lines in (shown, found))
        return "" if shown == found else f"{command}: lines begin with {found}"
    shown, found = _in_order(shown), _in_order(found)
    if len(shown) != len(found):
        return f"{command}: {len(found)} lines, the page has {len(shown)}"
    for old, new in zip(shown, found, strict=True):
        if _words(old) != _words(new):
            return f"{command}: {new!r}, the page has {old!r}"
        if not TIMES.search(old) and not _near(old, new):
            return f"{command}: numbers of {new!r}, the page has {old!r}"
    return ""


def _in_order(lines: list[str]) -> list[str]:
    """Runs that go on at the same time end in any order: their lines by name, first."""
    ended = sorted(line.partition("] ")[2] for line in lines if ENDED.match(line))
    return [*ended, *(line for line in lines if not ENDED.match(line))]


def _words(line: str) -> str:
    """A line without its numbers; widths of columns follow from them."""
    return re.sub(r"[\s-]+", " ", NUMBER.sub("#", line))


def _near(old: str, new: str) -> bool:
    """Another processor rounds otherwise, and one test image more or less is 0.3 points."""
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return all(abs(float(a) - float(b)) <= 2 + 0.05 * abs(float(a)) for a, b in pairs)


def run_all(page: str) -> list[tuple[str, list[str], list[str]]]:
    """Command, lines on the page, lines printed: in an empty folder, in order."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            return [(command, shown, printed(command)) for command, shown in commands(page)]
        finally:
            os.chdir(here)


def rewritten(page: str, found: list[tuple[str, list[str], list[str]]]) -> str:
    """The page with what was printed in place of what it showed."""
    outputs = iter(found)

    def block(match: re.Match[str]) -> str:
        parts = []
        for part in ("\n" + match[2].rstrip("\n")).split("\n$ ")[1:]:
            shown, new = next(outputs)[1:]
            lines = part.split("\n")
            parts += [f"$ {line}" if i == 0 else line for i, line in enumerate(lines)][
                : len(lines) - len(shown)
            ]
            parts += new
        return "\n".join([match[1].rstrip("\n"), *parts, match[3]])

    return BLOCK.sub(block, page)


def main(words: list[str]) -> int:
    """Write the page, or compare it."""
    page = PAGE.read_text(encoding="utf-8")
    found = run_all(page)
    if words != ["check"]:
        PAGE.write_text(rewritten(page, found), encoding="utf-8")
        return 0
    wrong = [reason for one in found if (reason := differ(*one))]
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
