"""Train or evaluate one run from the command line, as CoOp's ``train.py`` does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

import npt_plugin
from npt_plugin.system.exit_codes import exit_code
from npt_plugin.system.locks import run_lock
from npt_plugin.system.signals import stop_signals


def parser() -> argparse.ArgumentParser:
    """The flags of CoOp's ``train.py``, with the same names."""
    p = argparse.ArgumentParser(
        prog="train.py",
        description="Train or evaluate one prompt-tuning run.",
        epilog="Example: python train.py --trainer NPT_CoOp --seed 1 --dataset-config-file "
        "embedded_objects --config-file tiny_ep50_ctxv1 --output-dir output/try "
        "DATASET.NUM_SHOTS 16 DATASET.SUBSAMPLE_CLASSES base DATASET.IMBALANCE.RATIO 0.06",
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
    p.add_argument("opts", nargs=argparse.REMAINDER, help="config overrides: KEY value ...")
    return p


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    npt_plugin.register(base=True)
    from npt_plugin.runs.settings import build_cfg

    cfg = build_cfg(args)
    if args.print_config:
        print(cfg.dump(), end="")
    elif args.dry_run:
        from npt_plugin.cli.dry_run import dry_run

        dry_run(cfg)
    else:
        with stop_signals(), run_lock(cfg.OUTPUT_DIR):
            run_cfg(cfg, args)


def run_cfg(
    cfg: Any, args: argparse.Namespace, check_classes: Callable[[Sequence[str]], None] | None = None
) -> Any:
    """Train or evaluate one run in its output folder; returns the trainer.

    Args:
        cfg: The frozen config.
        args: ``eval_only``, ``model_dir``, ``load_epoch`` and ``no_train`` are read.
        check_classes: Called with the class names found in the data, before anything is written.
    """
    import torch

    from npt_plugin.engine.framework import build_trainer, collect_env_info, setup_logger
    from npt_plugin.runs.recorder import recorded, refuse_other_results
    from npt_plugin.system.random_state import seed_everything
    from npt_plugin.trainers.checkpoints import newest_progress, refuse_other_config

    refuse_other_results(cfg)
    if not args.eval_only:
        directory = cfg.RESUME or cfg.OUTPUT_DIR
        refuse_other_config(newest_progress(directory), directory, cfg)
    seed_everything(cfg)
    setup_logger(cfg.OUTPUT_DIR)
    if torch.cuda.is_available() and cfg.USE_CUDA:
        torch.backends.cudnn.benchmark = True
    _print_settings(args, cfg)
    print(f"** System info **\n{collect_env_info()}\n")
    trainer = build_trainer(cfg)
    if check_classes is not None:
        check_classes(trainer.classnames)
    if args.eval_only:
        trainer.load_model(args.model_dir, epoch=args.load_epoch)
        with recorded(trainer):
            trainer.test()
    elif not args.no_train:
        with recorded(trainer):
            trainer.train()
    return trainer


def _print_settings(args: argparse.Namespace, cfg: Any) -> None:
    print("** Arguments **")
    for name, value in sorted(vars(args).items()):
        print(f"{name}: {value}")
    print(f"** Config **\n{cfg}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run; what goes wrong ends in one sentence and the exit codes of ``exit_codes.py``."""
    return exit_code(run, parser().parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
