"""Train or evaluate one prompt-tuning run, as CoOp's train.py does."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from npt_plugin.cli.dry_run import dry_run
from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.cli.overrides import describe_overrides, parse_with_overrides
from npt_plugin.engine.distributed import together
from npt_plugin.registration import register_all
from npt_plugin.runs.opening_lines import ignored_keys
from npt_plugin.runs.settings import Request, build_cfg
from npt_plugin.sweep.run import perform
from npt_plugin.system.exit_codes import exit_code


def parser() -> argparse.ArgumentParser:
    """The flags of CoOp's ``train.py``, with the same names."""
    p = argparse.ArgumentParser(
        prog="npt train",
        description=__doc__,
        epilog=examples(
            "npt train --trainer NPT_CoOp --seed 1 --dataset-config-file embedded_objects "
            "--config-file tiny_ep50_ctxv1 --output-dir output/try DATASET.NUM_SHOTS 16 "
            "DATASET.SUBSAMPLE_CLASSES base DATASET.IMBALANCE.RATIO 0.06"
        ),
        formatter_class=WithDefaults,
    )
    p.add_argument("--root", default="", help="folder that holds the datasets")
    p.add_argument("--output-dir", default="", help="folder for logs, prompts and results")
    p.add_argument("--resume", default="", help="folder of an interrupted run to go on with")
    p.add_argument("--seed", type=int, help="0 or more fixes every random choice; -1: unseeded")
    p.add_argument("--source-domains", nargs="+", help="source domains (Dassl)")
    p.add_argument("--target-domains", nargs="+", help="target domains (Dassl)")
    p.add_argument("--transforms", nargs="+", help="training transforms, by name")
    p.add_argument("--config-file", default="", help="yaml of the method: file or name")
    p.add_argument("--dataset-config-file", default="", help="yaml of the dataset: file or name")
    p.add_argument("--trainer", default="", help="name of the trainer")
    p.add_argument("--backbone", default="", help="CLIP: Tiny, ViT-B/16, ... or a file")
    p.add_argument("--head", default="", help="name of the head (Dassl)")
    p.add_argument("--log", default="", help="curves to tensorboard, wandb, both with +, or none")
    p.add_argument("--eval-only", action="store_true", help="evaluate a trained run")
    p.add_argument("--model-dir", default="", help="output folder of the run to evaluate")
    p.add_argument("--load-epoch", type=int, help="epoch of the checkpoint to evaluate")
    p.add_argument("--no-train", action="store_true", help="build everything, do not train")
    p.add_argument("--print-config", action="store_true", help="print the whole config and stop")
    p.add_argument(
        "--dry-run",
        action="store_true",
        help="two steps, then what would run, with time and memory; writes nothing",
    )
    describe_overrides(p)
    return p


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    words = vars(args)
    print_config, estimate = words.pop("print_config"), words.pop("dry_run")
    request = Request(**words)
    if print_config:
        register_all(base=True)
        print(build_cfg(request).dump(), end="")
    elif estimate:
        register_all(base=True)
        cfg = build_cfg(request)
        for line in ignored_keys(request, cfg.TRAINER.NAME):
            print(line)
        dry_run(cfg)
    else:
        perform(request)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; what goes wrong ends in one sentence and the exit codes of ``exit_codes.py``."""
    return exit_code(together, lambda: run(parse_with_overrides(parser(), argv)))
