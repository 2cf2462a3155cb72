"""The notebooks run from the first cell to the last, in an empty folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "notebooks"
REDUCED = {
    "demo": 'DEMO = ["--help"]',  # tests/cli/test_demo.py runs it
    "settings": """
DATASET, TRAINERS, SEEDS = "embedded_textures", ["CoOp"], ["1"]
MORE = ["--opts", "OPTIM.MAX_EPOCH", "1"]
ROOT, OUTPUT = Path("data"), Path("output/real")
""",
    "download": "",
}
"""By tag, what stands for the first lines of a cell: drawn images in place of a download."""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Reads a notebook, changes it, executes it, and gives back what it printed."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), str(ROOT / "third_party"))))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # nobody's own start-up files

    def execute(name, change=lambda cell: None):
        book = nbformat.read(FOLDER / name, as_version=4)
        for cell in book.cells:
            change(cell)
        resources = {"metadata": {"path": tmp_path}}
        nbclient.NotebookClient(book, timeout=200, resources=resources).execute()
        outputs = [o for cell in book.cells for o in cell.get("outputs", ())]
        return [o.get("text", "") for o in outputs], outputs

    return execute


@pytest.mark.slow
def test_the_first_steps_run(tmp_path, run):
    texts, _ = run("first_steps.ipynb")
    assert any("on new classes" in text for text in texts)
    assert (tmp_path / "output/npt/results.json").is_file()


@pytest.mark.slow
def test_the_notebook_for_real_data_runs_on_drawn_ones(tmp_path, run):
    changed = []

    def reduce(cell):
        for tag in cell.metadata.get("tags", ()):
            old, new = cell.source.split("\n\n"), REDUCED[tag]
            cell.source = "\n\n".join([new, *old[1:]])
            changed.append(tag)

    texts, outputs = run("real_data.ipynb", reduce)
    assert sorted(changed) == sorted(REDUCED)
    assert any("embedded_textures" in text for text in texts)
    assert "text/html" in outputs[-1]["data"] and (tmp_path / "output/real/report.html").is_file()


def test_the_real_dataset_of_the_notebook_is_one_that_can_be_downloaded():
    from npt_plugin.cli.data_download import entry_named

    text = (FOLDER / "real_data.ipynb").read_text(encoding="utf-8")
    assert 'DATASET, TRAINERS, SEEDS = \\"eurosat\\"' in text
    assert entry_named("eurosat").automatic
