"""Write a classifier that runs without this package: features, weights and a short program."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from npt_plugin.backbone.loading import load_clip_of
from npt_plugin.backbone.standalone import write_backbone
from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.datasets.rgb import to_rgb
from npt_plugin.errors import UserError
from npt_plugin.evaluation.posthoc import posthoc_adjust
from npt_plugin.registration import register_all
from npt_plugin.runs.folder import RunFolder
from npt_plugin.system.exit_codes import exit_code
from npt_plugin.system.files import write_atomically, write_text
from npt_plugin.trainers.restore import load_model

CLASSIFIER, PROGRAM = "classifier.safetensors", "classify.py"
"""Files of an export: features and names; the program."""

TUNED = "clip.safetensors"
"""The state dict that ``--clip`` writes."""


def export(folder: str | Path, output: str | Path, clip_only: bool = False) -> list[Path]:
    """Write the files of an export; returns their paths.

    Args:
        folder: The run's output folder.
        output: Folder to write to.
        clip_only: Only CLIP with the weights that the run has learned, whatever its head.

    Raises:
        UserError: If one feature per class on CLIP's image feature does not say all of the
            classifier (``PromptedCLIP.export_obstacle``), or what was learned does not merge into
            CLIP's weights (``merge_obstacle``).
    """
    register_all(base=True)
    run, output = RunFolder.open(folder), Path(output)
    with contextlib.redirect_stdout(io.StringIO()):
        model, cfg, device, precision = load_model(run)
    if clip_only:
        return [_write_tuned(model, cfg, output / TUNED)]
    obstacle = model.export_obstacle()
    if obstacle:
        raise UserError(
            f"{cfg.TRAINER.NAME} does not export, as {obstacle}: use Predictor.from_run, or a "
            "method that learns shared text prompts only."
        )
    with torch.no_grad(), precision.context(device):
        text = model.text_features().float().cpu().contiguous()  # (K, D)
    tensors = {"text_features": text, "logit_scale": torch.tensor(float(model.head_scale))}
    tensors["logit_bias"] = _bias(run, cfg, model.head_bias, len(text))
    change = None if model.merge_obstacle() else model.merge_into
    library, weights = write_backbone(cfg, output, change)
    data = save(tensors, _about(run, cfg, library))
    written = [output / CLASSIFIER, output / PROGRAM]
    write_atomically(written[0], lambda file: file.write(data))
    write_text(written[1], standalone_program())
    return written + weights


def standalone_program() -> str:
    """The text of ``classify.py``: ``exported_classifier.py``, :func:`to_rgb` written out."""
    lines = Path(__file__).with_name("exported_classifier.py").read_text("utf-8").splitlines()
    (place,) = (i for i, line in enumerate(lines) if line.startswith("from npt_plugin."))
    lines[place] = f"\n{inspect.getsource(to_rgb)}\n"
    return "\n".join(lines) + "\n"


def _bias(run: RunFolder, cfg: Any, bias: float, classes: int) -> Tensor:
    """What is added to each class's logit (K,): CLIP's bias, and the run's own adjustment."""
    plain = torch.full((1, classes), float(bias))
    counts, tau = run.training_counts(), cfg.TRAINER.IMBALANCE_LOSS.POSTHOC_TAU
    return (plain if counts is None else posthoc_adjust(plain, counts, tau))[0]


def _about(run: RunFolder, cfg: Any, library: dict[str, Any]) -> dict[str, str]:
    scaled, size = "normalize" in cfg.INPUT.TRANSFORMS, list(cfg.INPUT.SIZE)
    about = {
        "class_names": run.class_names,
        **library,
        "resize": cfg.INPUT.get("TEST_RESIZE", 0) or max(size),
        "size": size,
        "interpolation": cfg.INPUT.INTERPOLATION,
        "mean": list(cfg.INPUT.PIXEL_MEAN) if scaled else [0.0] * 3,
        "std": list(cfg.INPUT.PIXEL_STD) if scaled else [1.0] * 3,
        "trainer": cfg.TRAINER.NAME,
        "dataset": cfg.DATASET.NAME,
    }
    return {key: json.dumps(value) for key, value in about.items()}


def _write_tuned(model: Any, cfg: Any, path: Path) -> Path:
    """CLIP with learned weights in the place of its own, all of it, under the family's names."""
    obstacle = model.merge_obstacle()
    if obstacle:
        raise UserError(
            f"{cfg.TRAINER.NAME} gives no CLIP with other weights, as {obstacle}: export without "
            "--clip, or train with FineTune and METHOD full, last_k, bias, ln, lora or ssf."
        )
    clip_model = load_clip_of(cfg).float()
    model.merge_into(clip_model)
    data = save({k: v.contiguous() for k, v in clip_model.model.state_dict().items()})
    write_atomically(path, lambda file: file.write(data))
    return path


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt export``."""
    p = argparse.ArgumentParser(
        prog="npt export",
        description=__doc__,
        epilog=examples("npt export output/try"),
        formatter_class=WithDefaults,
    )
    p.add_argument("run", help="output folder of a run")
    p.add_argument("--output", default="", help="folder to write; default: export in the run")
    p.add_argument(
        "--clip",
        action="store_true",
        help=f"of FineTune: only {TUNED}, CLIP with the learned weights merged into its own",
    )
    return p


def run(args: argparse.Namespace) -> None:
    """Export and say how to use it."""
    output = Path(args.output or Path(args.run) / "export")
    for path in export(args.run, output, args.clip):
        print(f"{path}  {path.stat().st_size / 1024:,.0f} KiB")
    if not args.clip:
        print(f"Use it without npt_plugin: python {output / PROGRAM} IMAGE...")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
