"""The same run in a public checkout and here: which script and words start each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from host_presets import Checkout, with_loaded, words_of

from npt_plugin.cli.overrides import parse_with_overrides
from npt_plugin.cli.protocol import job_of, parser
from npt_plugin.runs.config_tree import config_as_dict, flatten
from npt_plugin.runs.configs import configs_folder
from npt_plugin.runs.settings import build_cfg
from npt_plugin.sweep.dataset_groups import GROUPS
from npt_plugin.sweep.job import Step
from npt_plugin.sweep.protocols import VARIANTS, published_config

ROOT = Path(__file__).resolve().parents[2]
ELEVEN, TEN = GROUPS["fewshot11"], GROUPS["fewshot10"]
SHOTS = (1, 2, 4, 8, 16)
MAPLE = "multimodal-prompt-learning"
Call = tuple[tuple[str, ...], dict[str, str]]


@dataclass(frozen=True)
class Run:
    """One or more runs that a script starts.

    Args:
        checkout: Name of the checkout.
        script: Of theirs, below its ``scripts``.
        words: Its arguments.
        ours: Our script, below ``scripts``.
        calls: Arguments and environment of each call of ours; none: one with the same arguments.
        changes: Lines of their script to change, as its comments say.
        trainer: For the name.
    """

    checkout: str
    script: str
    words: tuple[str, ...]
    ours: str
    calls: tuple[Call, ...] = ()
    changes: dict[str, str] = field(default_factory=dict)
    trainer: str = ""

    @property
    def name(self) -> str:
        """For the table and for messages."""
        return " ".join(w for w in (self.checkout, self.script, self.trainer, *self.words) if w)


def documented_coop_runs(text: str) -> Iterator[Run]:
    """The few-shot commands that CoOp's page lists, word by word."""
    for line in re.findall(r"`bash scripts/coop/main\.sh ([^`]+)`", text):
        yield Run("CoOp", "coop/main.sh", tuple(line.split()), "coop/main.sh")


def few_shot_runs(checkout: str) -> Iterator[Run]:
    """CoOp on each dataset: the config is ours to choose, by what CoOp's page and paper say."""
    for dataset in ELEVEN:
        for shots in SHOTS:
            config = "rn50" + {1: "_ep50", 2: "_ep100", 4: "_ep100"}.get(shots, "")
            config = "rn50_ep50" if dataset == "imagenet" else config
            assert published_config("few_shot", "CoOp", dataset, "RN50", shots) == config
            words = (dataset, config, "end", "16", str(shots), "False")
            call: Call = ((dataset, str(shots)), {"BACKBONE": "RN50"})
            yield Run(checkout, "coop/main.sh", words, "coop/few_shot.sh", (call,))


def coop_tests_of_imagenet(checkout: str) -> Iterator[Run]:
    """CoOp's few-shot prompts for ImageNet on its variants."""
    for dataset in VARIANTS:
        calls = tuple(((dataset, seed), {"CFG": "rn50_ep50"}) for seed in ("1", "2", "3"))
        yield Run(checkout, "coop/eval.sh", (dataset, "rn50_ep50"), "coop/xd_test.sh", calls)


def cocoop_runs(checkout: str) -> Iterator[Run]:
    """Base-to-new and cross-dataset runs of CoCoOp."""
    yield from _transfer_runs(checkout, "CoCoOp")


def coop_runs_of_cocoop(checkout: str) -> Iterator[Run]:
    """The same of CoOp, as the comments in CoCoOp's scripts say.

    Those of multimodal-prompt-learning say so too, but it has no such config of CoOp.
    """
    yield from _transfer_runs(checkout, "CoOp")


def _transfer_runs(checkout: str, trainer: str) -> Iterator[Run]:
    def run(script: str, words: tuple[str, ...], trained_on: str) -> Run:
        changes = _uncommented(trained_on) if trainer == "CoOp" else {}
        ours = f"{trainer.lower()}/{script}"
        return Run(checkout, f"cocoop/{script}", words, ours, (), changes, trainer)

    for dataset in ELEVEN:
        for part in ("train", "test"):
            yield run(f"base2new_{part}.sh", (dataset, "2"), dataset)
    yield run("xd_train.sh", ("3",), "imagenet")
    for dataset in (*TEN, *VARIANTS):
        yield run("xd_test.sh", (dataset, "3"), "imagenet")


def _uncommented(dataset: str) -> dict[str, str]:
    config = "vit_b16_ep50_ctxv1" if dataset == "imagenet" else "vit_b16_ctxv1"
    return {
        "TRAINER=CoCoOp\n": "TRAINER=CoOp\n",
        "CFG=vit_b16_c4_ep10_batch1_ctxv1\n": f"CFG={config}\n",
    }


def maple_runs(checkout: str) -> Iterator[Run]:
    """Base-to-new and cross-dataset runs of MaPLe, and the tests of its published weights."""
    for dataset in ELEVEN:
        seed = (dataset, "1")
        for part in ("train", "test"):
            theirs, ours = f"maple/base2new_{part}_maple.sh", f"maple/base2new_{part}.sh"
            yield Run(checkout, theirs, seed, ours)
        halves = tuple((seed, {"SUB": half}) for half in ("base", "new"))
        words = (*seed, "weights")
        yield Run(checkout, "maple/reproduce_maple.sh", words, "maple/base2new_test.sh", halves)
    train: Call = (("1",), {})
    yield Run(checkout, "maple/xd_train_maple.sh", ("imagenet", "1"), "maple/xd_train.sh", (train,))
    for dataset in (*TEN, *VARIANTS):
        seed, ours = (dataset, "1"), "maple/xd_test.sh"
        yield Run(checkout, "maple/xd_test_maple.sh", seed, ours)
        words = (*seed, "weights")
        yield Run(checkout, "maple/reproduce_maple_xd.sh", words, ours, ((seed, {}),))


def their_configs(checkout: Checkout, run: Run, fake: Path) -> list[dict[str, Any]]:
    """Flat configs of the runs that their script starts."""
    script = checkout.script(run.script, run.changes)
    return [checkout.config(words) for words in checkout.calls(script, list(run.words), fake)]


def our_configs(run: Run, fake: Path, configs: Path | None = None) -> list[dict[str, Any]]:
    """Flat configs of the runs that our script starts.

    Args:
        run: Names the script.
        fake: Folder for a ``python`` that only writes down.
        configs: Folder of other yaml files than ours.
    """
    text = f'exec bash "{ROOT / "scripts" / run.ours}" "$@"'
    called = []
    for words, env in run.calls or ((run.words, {}),):
        env = {"NPT_PYTHON": str(fake / "python"), **env}
        called += words_of(text, list(words), ROOT, fake, **env)
    protocols = [call[3:] for call in called if call[:3] == ["-m", "npt_plugin", "protocol"]]
    return [our_config(words, configs or configs_folder()) for words in protocols]


def our_config(words: list[str], configs: Path) -> dict[str, Any]:
    """The flat config of ``npt protocol WORDS``, and what a test loads once all is trained."""
    args = parse_with_overrides(parser(), words)
    (step,) = job_of(args).steps(args.part)
    request = _Trained(**vars(step)).request(configs)
    flat = flatten(config_as_dict(build_cfg(request)))
    return with_loaded(flat, request.eval_only, request.load_epoch)


class _Trained(Step):
    """A step whose training is done."""

    def _trained(self) -> Any:
        training = replace(self, part=self.protocol.parts[0], dataset=self.job.dataset)
        cfg = build_cfg(training.request(configs_folder()))
        return SimpleNamespace(selection=cfg.TEST.FINAL_MODEL, epochs=cfg.OPTIM.MAX_EPOCH)
