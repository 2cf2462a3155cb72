"""The model card of a published run: what it is, what it reaches, how it is used."""

from __future__ import annotations

from collections.abc import Mapping

from npt_plugin.runs.record import Record

_HUB_NAMES = {
    "ViT-B/16": "openai/clip-vit-base-patch16",
    "ViT-B/32": "openai/clip-vit-base-patch32",
    "ViT-L/14": "openai/clip-vit-large-patch14",
    "ViT-L/14@336px": "openai/clip-vit-large-patch14-336",
}
"""How model hubs call OpenAI's models."""

_PAPERS = {
    "CoOp": "Zhou et al., Learning to Prompt for Vision-Language Models, arXiv:2109.01134",
    "CoCoOp": "Zhou et al., Conditional Prompt Learning, arXiv:2203.05557",
    "MaPLe": "Khattak et al., Multi-modal Prompt Learning, arXiv:2210.03117",
}


def card(record: Record, tests: Mapping[str, Record], learned: int, licence: str) -> str:
    """Markdown with the front matter that model hubs read.

    Args:
        record: Of the training, without places of this machine.
        tests: Further tests of what it learned, by name.
        learned: How many numbers were learned.
        licence: As model hubs name it.
    """
    backbone = record.backbone or "CLIP"
    head = ["---", f"license: {licence}", "library_name: npt-plugin", "tags: [clip, prompt-tuning]"]
    head += ["pipeline_tag: zero-shot-image-classification"]
    head += [f"base_model: {_HUB_NAMES[backbone]}"] if backbone in _HUB_NAMES else []
    tau = f"imbalanced, tau = {record.ratio:g}" if record.ratio < 1 else "balanced"
    lines = [
        *head,
        f"datasets: [{record.dataset}]",
        "---",
        "",
        f"# {record.trainer} on {record.dataset}, {record.classes} classes",
        "",
        f"{learned:,} learned numbers for {backbone}, trained on {_shots(record)} ({tau}), seed "
        f"{record.seed}, {record.steps} steps. One seed: its accuracy says little without others.",
        "",
        *_table(record, tests),
        "",
        *_use(),
        "",
        "Classes: " + ", ".join(record.class_names or []) + ".",
        "",
        f"Config: `config.yaml` (hash {record.config_hash}). CLIP's weights are not in here: "
        f"{backbone}{' must be at hand' if '.' in backbone else ' is loaded by name'}.",
        "",
        *_cite(record.trainer),
    ]
    return "\n".join(lines) + "\n"


def _shots(record: Record) -> str:
    return f"up to {record.shots} images a class" if (record.shots or 0) > 0 else "all images"


def _table(record: Record, tests: Mapping[str, Record]) -> list[str]:
    columns = ("accuracy", "macro_accuracy", "many", "medium", "few")
    rows = {f"{record.dataset}, {record.classes} classes (trained)": record, **tests}
    lines = ["| tested on | " + " | ".join(columns).replace("_", " ") + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for name, one in rows.items():
        values = [(one.metrics or {}).get(column) for column in columns]
        cells = ["-" if value is None else f"{value:.1f}" for value in values]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _use() -> list[str]:
    return [
        "```bash",
        "pip install npt-plugin",
        "npt pull FOLDER-OR-hf:ORG/NAME my_run",
        "npt predict my_run photo.jpg",
        "```",
    ]


def _cite(trainer: str) -> list[str]:
    base = trainer.removeprefix("NPT_")
    papers = [_PAPERS[base]] if base in _PAPERS else []
    if trainer != base:
        papers.append("Neural-collapse-anchored prompt tuning, npt-plugin (see its README)")
    return ["Please cite: " + "; ".join(papers) + "."] if papers else []
