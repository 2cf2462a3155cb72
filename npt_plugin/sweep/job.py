"""One method on one dataset with one seed: the runs it takes, and which of them are there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from npt_plugin.errors import UserError
from npt_plugin.runs.configs import dataset_config, trainer_config
from npt_plugin.runs.layout import ALL_SHOTS, RESULTS, Place
from npt_plugin.runs.record import Record, is_completed, read_record
from npt_plugin.runs.recorder import refuse_other_results
from npt_plugin.runs.settings import Request, build_cfg
from npt_plugin.runs.variants import Method
from npt_plugin.sweep.protocols import Part, Protocol, protocol_named
from npt_plugin.sweep.run import perform

_LONGEST_NAME = 255
"""Bytes of a file's name on common file systems."""


@dataclass(frozen=True)
class Job:
    """One trainer on one dataset, one seed, one imbalance ratio.

    Attributes:
        dataset: Name of a file in ``configs/datasets`` without ``.yaml``: what it trains on.
        trainer: Registry name.
        config: Name of a file in ``configs/trainers/<trainer>`` without ``.yaml``.
        seed: 0 or more.
        ratio: tau = n_min / n_max.
        shots: n_max, images of the largest class.
        root: Folder of the datasets; empty: the embedded benchmarks' own.
        output: Top folder of all runs.
        options: Further ``KEY value`` overrides.
        protocol: Name of the protocol.
        backbone: ``MODEL.BACKBONE.NAME``; empty: the config's.
        targets: Other datasets to test on, where the protocol does.
        settings: What the trainer does otherwise than its config says, see
            :class:`~npt_plugin.runs.variants.Method`.

    Raises:
        UserError: If config and settings do not fit into the name of a folder.
    """

    dataset: str
    trainer: str
    config: str
    seed: int
    ratio: float = 1.0
    shots: int = 16
    root: str = ""
    output: str = "output"
    options: tuple[str, ...] = field(default=())
    protocol: str = "base2new"
    backbone: str = ""
    targets: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if (length := len(self._variant.encode())) > _LONGEST_NAME:
            raise UserError(
                f"{self.method} needs a folder whose name has {length} bytes, and {_LONGEST_NAME} "
                "are allowed; put its settings into a yaml in configs/trainers and name that."
            )

    @property
    def _variant(self) -> str:
        """Name of the folder that tells a config and its variants apart."""
        return self.config + self.method.suffix

    @property
    def method(self) -> Method:
        """The trainer with its settings."""
        return Method(self.trainer, self.settings)

    @property
    def name(self) -> str:
        """For progress lines."""
        return f"{self.dataset} {self.method} tau {self.ratio:g} seed {self.seed}"

    def steps(self, parts: Sequence[str] = ()) -> list[Step]:
        """The runs of the job in order: of these parts, or of the whole protocol."""
        protocol = protocol_named(self.protocol)
        chosen = [protocol.part(name) for name in parts] or protocol.parts[: protocol.optional]
        steps = []
        for part in chosen:
            for dataset in self.targets if part.elsewhere else (self.dataset,):
                steps.append(Step(self, protocol, part, dataset))
        return steps

    def folder(self, part: str = "train") -> Path:
        """Output folder of the run of a part that is on the job's own dataset."""
        (step,) = self.steps([part])
        return step.folder

    def done(self) -> bool:
        """Whether all its runs have completed, whatever their settings."""
        return all(is_completed(step.folder) for step in self.steps())


@dataclass(frozen=True)
class Step:
    """One run of a job."""

    job: Job
    protocol: Protocol
    part: Part
    dataset: str

    @property
    def place(self) -> Place:
        """Where the run lies below the output folder."""
        job = self.job
        shots, ratio = (job.shots, job.ratio) if self.protocol.samples else (ALL_SHOTS, 1.0)
        return Place(
            self.protocol.folder,
            self.part.folder.format(source=job.dataset),
            self.dataset,
            shots,
            ratio,
            job.trainer,
            job._variant,
            job.seed,
        )

    @property
    def folder(self) -> Path:
        """The run's folder; that of version 0.1 if only that is there."""
        return self.place.on_disk(self.job.output)

    def request(self, configs: Path, epoch: int | None = None) -> Request:
        """What ``train.py`` would be asked for.

        Args:
            configs: Folder of the yaml files.
            epoch: Of a part that tests: the epoch whose prompts are tested; None: the last, or
                the best where the training selected by validation.

        Raises:
            UserError: If a part that tests finds nothing trained.
        """
        job, options = self.job, list[str]()
        if self.protocol.samples and not self.part.elsewhere:
            options += ["DATASET.NUM_SHOTS", str(job.shots)]
        if self.part.classes:
            options += ["DATASET.SUBSAMPLE_CLASSES", self.part.classes]
        if self.protocol.samples and not self.part.elsewhere:
            options += ["DATASET.IMBALANCE.RATIO", str(job.ratio)]
        asked = Request(
            trainer=job.trainer,
            dataset_config_file=str(dataset_config(self.dataset, configs)),
            config_file=str(trainer_config(job.config, job.trainer, configs)),
            output_dir=str(self.folder),
            root=job.root,
            seed=job.seed,
            backbone=job.backbone,
            opts=[*options, *job.options, *job.method.options],
        )
        if self.part.trains:
            return asked
        trained = self._trained()
        if epoch is None and trained.selection != "best_val":  # the best has no number
            epoch = trained.epochs
        return replace(
            asked, eval_only=True, model_dir=str(self._training.folder), load_epoch=epoch
        )

    @property
    def _training(self) -> Step:
        return replace(self, part=self.protocol.parts[0], dataset=self.job.dataset)

    def _trained(self) -> Record:
        folder = self._training.folder
        if not is_completed(folder):
            raise UserError(f"{folder} holds no completed run: train it first.")
        return read_record(folder / RESULTS)

    def finished(self, configs: Path, epoch: int | None = None) -> bool:
        """Whether the run has completed, with the settings that are asked for.

        Raises:
            UserError: If it has completed with other settings; the keys are named.
        """
        if not is_completed(self.folder):
            return False
        request = self.request(configs, epoch)
        refuse_other_results(build_cfg(request))
        tested = read_record(self.folder / RESULTS).tested_epoch
        wanted = request.load_epoch
        if request.eval_only and None not in (wanted, tested) and wanted != tested:
            raise UserError(
                f"{self.folder} holds the results of epoch {tested}, not {wanted}: delete that "
                "folder, or ask for that epoch."
            )
        return True


def run_job(job: Job, configs: Path, parts: Sequence[str] = (), epoch: int | None = None) -> None:
    """Run what is not completed yet; raises what the runs raise.

    Args:
        job: The job.
        configs: Folder of the yaml files.
        parts: Names of parts; empty: the whole protocol.
        epoch: Of parts that test, see :meth:`Step.request`.
    """
    for step in job.steps(parts):
        run_step(step, configs, epoch)


def run_step(step: Step, configs: Path, epoch: int | None = None) -> None:
    """Run one step of a job, unless it has completed; raises what the run raises."""
    if step.finished(configs, epoch):
        print(f"The results exist in {step.folder} (nothing to do)")
        return
    stdout = sys.stdout
    try:
        perform(step.request(configs, epoch))
    finally:
        if sys.stdout is not stdout:  # Dassl's logger stands in for stdout
            sys.stdout.close()
        sys.stdout = stdout
