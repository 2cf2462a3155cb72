"""Test the prompts of a run, on its own or other classes or data."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from npt_plugin.cli.help_format import WithDefaults, examples
from npt_plugin.cli.overrides import describe_overrides, parse_with_overrides
from npt_plugin.datasets.names import dataset_name
from npt_plugin.engine.distributed import together
from npt_plugin.engine.framework import DATASET_REGISTRY, TRAINER_REGISTRY
from npt_plugin.errors import UserError
from npt_plugin.registration import register_all
from npt_plugin.runs.configs import configs_folder, dataset_config, is_path
from npt_plugin.runs.folder import RunFolder
from npt_plugin.runs.settings import Request, check_names, merge_file, merge_options
from npt_plugin.sweep.run import perform_cfg
from npt_plugin.system.exit_codes import exit_code


def parser() -> argparse.ArgumentParser:
    """Flags of ``npt eval``."""
    p = argparse.ArgumentParser(
        prog="npt eval",
        description=__doc__,
        epilog=examples(
            "npt eval --run output/try",
            "npt eval --run output/try --classes new",
            "npt eval --run output/try --dataset dtd --root /data",
            "npt eval --run output/try TEST.ENSEMBLE crops,texts",
            "npt eval --run output/seed1 --average output/seed2 output/seed3",
        ),
        formatter_class=WithDefaults,
    )
    p.add_argument("--run", required=True, help="output folder of a run; nothing else is needed")
    p.add_argument("--classes", choices=("base", "new", "all"), help="default: the run's own")
    p.add_argument("--dataset", default="", help="another dataset: yaml file, its name, or a class")
    p.add_argument("--root", default="", help="folder of the datasets; default: the run's own")
    p.add_argument("--output-dir", default="", help="default: eval/<dataset>_<classes> in the run")
    about = "runs of other seeds: the mean of what all have learned is tested, each beside it"
    p.add_argument("--average", nargs="+", default=[], metavar="RUN", help=about)
    describe_overrides(p)
    return p


def run(args: argparse.Namespace) -> None:
    """Evaluate and write ``results.json``."""
    register_all(base=True)
    source = RunFolder.open(args.run)
    cfg = source.config()
    if args.dataset:
        _use_dataset(cfg, args.dataset)
    classes = args.classes or ("all" if args.dataset else cfg.DATASET.SUBSAMPLE_CLASSES)
    merge_options(cfg, ["DATASET.SUBSAMPLE_CLASSES", classes])
    if args.root:
        cfg.DATASET.ROOT = args.root
    merge_options(cfg, args.opts)
    beside = cfg.TEST.ENSEMBLE.replace(" ", "").replace(",", "_")
    runs = [source, *map(RunFolder.open, args.average)] if args.average else []
    mean = f"mean_of_{len(runs)}" if runs else ""
    name = "_".join(part for part in (cfg.DATASET.NAME, classes, mean, beside) if part)
    place = source.path / "eval" / name
    cfg.OUTPUT_DIR, cfg.RESUME = args.output_dir or str(place), ""
    check_names(cfg)
    cfg.freeze()
    trainer = TRAINER_REGISTRY.get(cfg.TRAINER.NAME)
    model_dir, epoch = source.checkpoint(trainer.model_class)
    request = Request(opts=tuple(args.opts), eval_only=True, model_dir=model_dir, load_epoch=epoch)
    own = source.config()
    same = (cfg.DATASET.NAME, classes) == (own.DATASET.NAME, own.DATASET.SUBSAMPLE_CLASSES)
    perform_cfg(cfg, request, source.check_classes if same else None, runs)


def _use_dataset(cfg: object, wanted: str) -> None:
    """Merge a dataset's yaml (by path or by any spelling of its name), or set its class."""
    try:
        path = dataset_config(wanted, configs_folder())
    except UserError:
        if is_path(wanted):
            raise
    else:
        print(f"Dataset file: {path}")
        merge_file(cfg, path)
        return
    known = DATASET_REGISTRY.registered_names()
    merge_options(cfg, ["DATASET.NAME", dataset_name(wanted, known)])


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    return exit_code(together, lambda: run(parse_with_overrides(parser(), argv)))
