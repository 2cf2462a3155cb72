"""Shell completion, asked as a shell asks: argcomplete's own protocol, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from npt_plugin.cli import main as cli
from npt_plugin.cli.completion import TABLE, skeleton

ROOT = Path(__file__).resolve().parents[2]
LIGHT = "import sys; sys.modules.update(dict.fromkeys(('torch', 'numpy', 'yacs', 'PIL')));"
"""From here on an import of these fails."""


def completions(
    line: str, tmp_path: Path, *words: str, skipped: int = 1, code: int = 0
) -> list[str]:
    """What the shell is offered at the end of a line."""
    words = words or ("-c", f"{LIGHT} from npt_plugin.cli.main import main; main()")
    out = tmp_path / "completions"
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "third_party"))),
        "_ARGCOMPLETE": str(skipped),
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(out),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    done = subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    return [word.strip() for word in out.read_text().split("\n")] if out.exists() else []


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("npt sw", ["sweep"]),
        ("npt p", ["protocol", "plot", "predict", "publish", "pull"]),
        ("npt data ver", ["verify"]),
        ("npt report --no", ["--no-plots"]),
        ("npt sweep --datasets dtd embedded_sh", ["embedded_shades"]),
        ("npt sweep --trainers CoOp NPT_Co", ["NPT_CoOp", "NPT_CoCoOp"]),
        ("npt sweep --trainers NPT_CoCoOp --config tiny", ["tiny_ep10"]),
        ("npt train --trainer CoOp --config-file tiny", ["tiny_ep50", "tiny_ep50_ctxv1"]),
        ("npt train --backbone ViT-B/1", ["ViT-B/16"]),
        ("npt train DATASET.NUM_SH", ["DATASET.NUM_SHOTS"]),
        ("npt train --seed 1 SEED SEE", [""]),
        ("npt train SEED 1 SEE", ["SEED"]),
        ("npt data verify oxford_p", ["oxford_pets"]),
        ("npt list bac", ["backbones"]),
        ("npt eval --classes n", ["new"]),
    ],
)
def test_what_a_tab_offers_without_anything_heavy(line, offered, tmp_path):
    found = [word for word in completions(line, tmp_path) if not word.startswith("-h")]
    assert sorted(found) == sorted(offered)


@pytest.mark.parametrize(
    ("line", "words", "skipped"),
    [
        ("python train.py --eval", (str(ROOT / "train.py"),), 2),
        ("python -m npt_plugin train --eval", ("-m", "npt_plugin"), 3),
    ],
)
def test_other_ways_to_call_us_are_completed_too(line, words, skipped, tmp_path):
    assert completions(line, tmp_path, *words, skipped=skipped) == ["--eval-only"]


@pytest.mark.parametrize("file", ["train.py", "npt_plugin/__main__.py", "npt_plugin/cli/main.py"])
def test_global_completion_finds_its_mark(file):
    assert b"PYTHON_ARGCOMPLETE_OK" in (ROOT / file).read_bytes()[:1024]


def test_without_argcomplete_nothing_is_run_in_its_place(tmp_path):
    gone = "import sys; sys.modules['argcomplete'] = None;"
    words = ("-c", f"{gone} from npt_plugin.cli.main import main; main(['doctor'])")
    assert completions("npt doctor", tmp_path, *words, code=1) == []


def test_every_command_is_known():
    (below,) = (a for a in skeleton()._actions if a.choices)
    assert list(below.choices) == list(cli.COMMANDS)
    for name in cli.COMMANDS:
        skeleton(name)


def test_the_table_is_what_the_parsers_say(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import completion_table

    made = "run: python scripts/completion_table.py"
    assert TABLE.read_text(encoding="utf-8") == completion_table.text(), made
