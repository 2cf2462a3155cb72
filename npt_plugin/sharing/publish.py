"""Make a folder of a run that others can use: small files, no paths of this machine, a card."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from npt_plugin.config import DASSL_KEYS, KEYS
from npt_plugin.errors import UserError
from npt_plugin.runs.collect import Run
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.layout import CONFIG, RESULTS, Place, parse
from npt_plugin.runs.record import Record, is_completed, read_record, write_record
from npt_plugin.sharing.card import card
from npt_plugin.sharing.learned_file import LEARNED, Learned
from npt_plugin.system.files import write_text

CARD, SUMS = "README.md", "SHA256SUMS"
"""The model card, and the checksums of all other files, in a published folder."""

WEIGHTS = "MODEL.CLIP_WEIGHTS"
_EMPTIED = ("OUTPUT_DIR", "RESUME", "DATASET.ROOT", "MODEL.INIT_WEIGHTS", "TEST.FEATURE_STORE")
"""Keys that name places on the machine of the run."""


def publish(folder: str | Path, output: str | Path, licence: str) -> list[Path]:
    """Write a hub-ready folder: learned tensors, config, record, model card, checksums.

    Args:
        folder: Output folder of a completed training.
        output: Folder to write; it must be empty or hold what this function wrote before.
        licence: Of the learned tensors, as model hubs name licences (``cc-by-4.0``, ``mit``).

    Returns:
        The files.

    Raises:
        UserError: If the run has not completed, is a test of another run, or needs files that
            would not travel with it.
    """
    run, output = RunFolder.open(folder), Path(output)
    record = run.record
    if record.status != "completed":
        raise UserError(f"{run.path} holds a run that is {record.status}, not completed.")
    _refuse_foreign(output)
    _refuse_what_stays(run.config())
    epoch = None if record.selection == "best_val" else record.tested_epoch or record.epochs
    learned = Learned.of_run(run.path, epoch)
    shared = _without_places(record)
    tests = {name: test.record for name, test in tests_of(run).items()}
    learned.save(output / LEARNED)
    write_record(output, shared)
    write_text(output / CONFIG, RunFolder(Path(), shared).config().dump())
    write_text(output / CARD, card(shared, tests, learned.numbers(), licence))
    names = (LEARNED, RESULTS, CONFIG, CARD)
    sums = (f"{hashlib.sha256((output / n).read_bytes()).hexdigest()}  {n}\n" for n in names)
    write_text(output / SUMS, "".join(sums))
    return [output / name for name in (*names, SUMS)]


def tests_of(run: RunFolder) -> dict[str, Run]:
    """The completed tests of a run that stand beside it in the layout of its protocol."""
    folder = run.path.resolve()
    found = {}
    for output in folder.parents:
        place = parse(folder.relative_to(output))
        if place is not None:
            for other in sorted((output / place.protocol).glob("test_*/*")):
                tested = _moved(place, other).folder(output)
                if tested != folder and is_completed(tested):
                    record = read_record(tested / RESULTS)
                    if Path(record.model_dir or "").resolve() == folder:
                        name = f"{record.dataset}, {record.classes} classes"
                        found[name] = Run(tested, record)
    return found


def _moved(place: Place, folder: Path) -> Place:
    return replace(place, part=folder.parent.name, dataset=folder.name)


def _refuse_foreign(output: Path) -> None:
    """Never write over files that are somebody else's."""
    known = {LEARNED, RESULTS, CONFIG, CARD, SUMS}
    there = {path.name for path in output.iterdir()} if output.is_dir() else set()
    if there and (SUMS not in there or there - known - {".git", ".gitattributes"}):
        raise UserError(f"{output} is not empty: give a new folder, or one published before.")


def _refuse_what_stays(cfg: Any) -> None:
    """A run that builds on another run's folder means nothing without it."""
    first = cfg.TRAINER.TWO_STAGE.RUN if cfg.TRAINER.NAME.endswith("TwoStage") else ""
    if first:
        raise UserError(
            f"{cfg.TRAINER.NAME} corrects the run in {first} (TRAINER.TWO_STAGE.RUN), which would "
            "not travel with it: publish that run."
        )


def _without_places(record: Record) -> Record:
    """The record without this machine's folders; of a weights file the name is kept."""
    config = _copied(record.config)
    for name in (*_EMPTIED, WEIGHTS, *(k.name for k in (*KEYS, *DASSL_KEYS) if k.path)):
        *nodes, last = name.split(".")
        node = config
        for part in nodes:
            node = node.get(part, {})
        if node.get(last):
            node[last] = Path(node[last]).name if name == WEIGHTS else ""
    backbone = Path(record.backbone or "").name if config["MODEL"].get("CLIP_WEIGHTS") else None
    return replace(
        record,
        config=config,
        backbone=backbone or record.backbone,
        working_dir=None,
        model_dir="",
        versions={k: v for k, v in (record.versions or {}).items() if "/" not in v},
    )


def _copied(tree: Any) -> Any:
    return {k: _copied(v) for k, v in tree.items()} if isinstance(tree, dict) else tree
