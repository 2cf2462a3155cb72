"""Say what this machine has, one line each; exit code 1 if something does not work."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

import torch

from npt_plugin.backbone.loading import load_clip
from npt_plugin.cli.backbone_check import check_backbone
from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.errors import UserError
from npt_plugin.runs.configs import DATASETS, configs_folder
from npt_plugin.runs.opening_lines import system_info
from npt_plugin.system.exit_codes import FAILED, OK, exit_code
from npt_plugin.system.processor import processor_name


def _device() -> str:
    if not torch.cuda.is_available():
        name = processor_name() or "cpu"
        return f"{name}, {torch.get_num_threads()} threads (no CUDA device)"
    free, total = torch.cuda.mem_get_info()
    return f"{torch.cuda.get_device_name()}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def _tiny() -> str:
    model = load_clip("Tiny")
    return f"{sum(p.numel() for p in model.parameters()):,} parameters, ready"


def _openai() -> str:
    cache = Path.home() / ".cache" / "clip"
    found = sorted(p.name for p in cache.glob("*.pt")) if cache.is_dir() else []
    return (
        f"{', '.join(found)} in {cache}" if found else f"none in {cache} (downloaded on first use)"
    )


def _output() -> str:
    folder = Path("output").resolve()
    place = folder if folder.is_dir() else folder.parent
    with tempfile.NamedTemporaryFile(dir=place):
        return f"{folder} can be written"


def _data() -> str:
    """Which datasets lie in ``./data``, by the folder names that readers expect."""
    known = {path.stem for path in (configs_folder() / DATASETS).glob("*.yaml")}
    folder = Path("data").resolve()
    found = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    found = [name for name in found if name in known]
    drawn = "embedded datasets are drawn on first use"
    return f"{', '.join(found) or 'nothing'} in {folder} ({drawn}; more: npt data status)"


def _pictures() -> str:
    try:
        return f"matplotlib {metadata.version('matplotlib')}"
    except metadata.PackageNotFoundError:
        return "matplotlib is absent: npt plot needs it (pip install matplotlib)"


def _configs() -> str:

    return str(configs_folder())


CHECKS: dict[str, Callable[[], str]] = {
    "versions": system_info,
    "device": _device,
    "CLIP Tiny": _tiny,
    "CLIP weights": _openai,
    "configs": _configs,
    "data": _data,
    "output": _output,
    "pictures": _pictures,
}


def parser() -> argparse.ArgumentParser:
    """The flag of ``npt doctor``."""
    p = argparse.ArgumentParser(
        prog="npt doctor",
        description=__doc__,
        epilog=examples("npt doctor", "npt doctor --backbone ViT-B/16"),
        formatter_class=WithDefaults,
    )
    p.add_argument(
        "--backbone", default="", help="instead: one image and one text through this CLIP"
    )
    return p


def run(args: argparse.Namespace) -> int:
    """Print one line a check.

    Raises:
        UserError: If the backbone that was asked for is not there or does not work.
    """
    if args.backbone:
        for name, line in check_backbone(args.backbone).items():
            print(f"{name:<13} {line}")
        return OK
    code = OK
    for name, check in CHECKS.items():
        try:
            line = check()
        except (UserError, OSError, ImportError, RuntimeError) as error:
            code, line = FAILED, f"PROBLEM: {error}"
        print(f"{name:<13} {line}")
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(run, parser().parse_args(argv))
