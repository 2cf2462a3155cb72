"""Shared by all tests: a random tiny CLIP on disk, a miniature dataset, and runs of train.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
SIZE = 32
CLASS_NAMES = ["red_kite", "blue kite", "green kite", "grey boat", "tan boat", "lime fish"]

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_host_is_left():
    """A host's trainer that is still referenced would keep ``.half()`` switched off.

    Tests of the engine count: their trainers look like a host's.
    """
    yield
    full_precision = sys.modules.get("npt_plugin.engine.full_precision")
    if full_precision is not None and full_precision._mode is not None:
        full_precision._mode.ignored = frozenset()
        full_precision._alive.clear()


@pytest.fixture(autouse=True)
def float64(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Tests marked ``numerics`` compute in float64 what the package computes in float32.

    How far two orders of one sum part in float32 depends on the processor; in float64 it is so
    little that a bound can be far above it and far below any mistake. ``numerics(single=True)``
    leaves float32 to a test that is about float32, or brings a bound from ``support/tolerance.py``.
    """
    marker = request.node.get_closest_marker("numerics")
    if marker is None or marker.kwargs.get("single"):
        yield
        return
    from double import replacements

    for owner, name, value in replacements():
        monkeypatch.setattr(owner, name, value)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def small_clip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a random CLIP ViT: 32 px, patch 8, two layers, widths 64, D = 48."""
    from npt_plugin.backbone.openai import clip_module

    model_class = sys.modules[f"{clip_module().__name__}.model"].CLIP
    torch.manual_seed(0)
    model = model_class(48, SIZE, 2, 64, 8, 77, 49408, 64, 1, 2)
    path = tmp_path_factory.mktemp("weights") / "small_clip.pt"
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture
def small_clip(small_clip_file: Path) -> torch.nn.Module:
    """The random CLIP in fp32, as trainers get it."""
    from npt_plugin.backbone.loading import load_clip

    return load_clip("", str(small_clip_file)).float()


@pytest.fixture(scope="session")
def pets_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with six classes of noise images in the layout of OxfordPets."""
    root = tmp_path_factory.mktemp("data root")
    images = root / "oxford_pets" / "images"
    images.mkdir(parents=True)
    (root / "oxford_pets" / "annotations").mkdir()
    rng = np.random.default_rng(0)
    split: dict[str, list] = {"train": [], "val": [], "test": []}
    for label, name in enumerate(CLASS_NAMES):
        for part, number in (("train", 8), ("val", 2), ("test", 5)):
            for i in range(number):
                file = f"{name.replace(' ', '_')}_{part}_{i}.jpg"
                pixels = rng.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
                pixels[..., label % 3] = 40 * label
                Image.fromarray(pixels).save(images / file)
                split[part].append([file, label, name])
    (root / "oxford_pets" / "split_zhou_OxfordPets.json").write_text(json.dumps(split))
    return root


SMALL = [
    "INPUT.SIZE",
    f"({SIZE}, {SIZE})",
    "DATASET.NAME",
    "OxfordPets",
    "DATASET.NUM_SHOTS",
    "4",
    "DATASET.SUBSAMPLE_CLASSES",
    "base",
    "DATALOADER.NUM_WORKERS",
    "0",
    "DATALOADER.TRAIN_X.BATCH_SIZE",
    "4",
    "OPTIM.NAME",
    "sgd",
    "OPTIM.LR",
    "0.1",
    "OPTIM.MAX_EPOCH",
    "2",
    "OPTIM.LR_SCHEDULER",
    "cosine",
    "INPUT.TRANSFORMS",
    "(random_resized_crop, random_flip, normalize)",
    "TRAINER.MAPLE.PROMPT_DEPTH",
    "2",
    "TRAINER.VPT.PROMPT_DEPTH_VISION",
    "2",
    "TRAINER.IVLP.PROMPT_DEPTH_VISION",
    "2",
    "TRAINER.IVLP.PROMPT_DEPTH_TEXT",
    "2",
    "TRAINER.PROMPTSRC.PROMPT_DEPTH_VISION",
    "2",
    "TRAINER.PROMPTSRC.PROMPT_DEPTH_TEXT",
    "2",
    "TRAINER.COOP.N_CTX",
    "3",
]


def config(root: Path, weights: Path, output: Path, trainer: str, *options: str, seed: int = 0):
    """The config of a run on the miniature pets."""
    import npt_plugin

    npt_plugin.register(base=True)
    from npt_plugin.runs.settings import Request, build_cfg

    options = (*SMALL, "MODEL.CLIP_WEIGHTS", str(weights), *options)
    request = Request(
        trainer=trainer, seed=seed, root=str(root), output_dir=str(output), opts=options
    )
    return build_cfg(request)


def build(root: Path, weights: Path, output: Path, trainer: str, *options: str, seed: int = 0):
    """A trainer on the miniature pets, in this process."""
    from npt_plugin.engine.framework import build_trainer
    from npt_plugin.system.random_state import set_random_seed

    cfg = config(root, weights, output, trainer, *options, seed=seed)
    set_random_seed(seed)
    return build_trainer(cfg)


@pytest.fixture
def make_cfg(pets_root: Path, small_clip_file: Path, tmp_path: Path) -> Callable:
    """``make_cfg("CoOp", "KEY", "value", ...)``: the config ``make_trainer`` would build from."""

    def make(trainer: str, *options: str):
        return config(pets_root, small_clip_file, tmp_path / "run", trainer, *options)

    return make


@pytest.fixture
def make_trainer(pets_root: Path, small_clip_file: Path, tmp_path: Path) -> Callable:
    """``make_trainer("CoOp", "KEY", "value", ..., seed=0)`` builds a trainer in this process."""

    def make(trainer: str, *options: str, seed: int = 0, output: Path | None = None):
        place = output or tmp_path / "run"
        return build(pets_root, small_clip_file, place, trainer, *options, seed=seed)

    return make


@pytest.fixture(scope="session")
def trained_run(
    pets_root: Path, small_clip_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Output folder of a completed NPT_CoOp run with NC metrics per epoch; do not change it."""
    out = tmp_path_factory.mktemp("trained") / "run"
    options = ("TEST.NC_PER_EPOCH", "1", "OPTIM.MAX_EPOCH", "3", "DATASET.IMBALANCE.RATIO", "0.5")
    build(pets_root, small_clip_file, out, "NPT_CoOp", *options).train()
    return out


@pytest.fixture
def run(trained_run: Path, tmp_path: Path) -> Path:
    """A copy of the trained run that a test may write to."""
    return shutil.copytree(trained_run, tmp_path / "copy")


@pytest.fixture
def images(pets_root: Path) -> list[Path]:
    """The test images of the base classes, in the order of a run's predictions."""
    folder = pets_root / "oxford_pets" / "images"
    names = [name.replace(" ", "_") for name in CLASS_NAMES[:3]]
    return [path for name in names for path in sorted(folder.glob(f"{name}_test_*.jpg"))]


@pytest.fixture
def deepened() -> Callable[[Path, Path], Image.Image]:
    """``deepened(path, target)`` writes a grey copy of 16 bits; returns its 8-bit original."""

    def make(path: Path, target: Path) -> Image.Image:
        grey = np.asarray(Image.open(path).convert("L"))
        Image.fromarray(grey.astype(np.uint16) * 257).save(target)
        return Image.fromarray(grey)

    return make


@pytest.fixture(scope="session")
def first_stages(
    pets_root: Path, small_clip_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable:
    """``first_stages("CoOp", "KEY", "value", ...)``: folder of a finished run, trained once."""
    made: dict[tuple[str, ...], Path] = {}

    def make(*words: str) -> Path:
        if words not in made:
            place = tmp_path_factory.mktemp("first") / "run"
            options = ("OPTIM.MAX_EPOCH", "1", "DATASET.IMBALANCE.RATIO", "0.5", *words[1:])
            build(pets_root, small_clip_file, place, words[0], *options).train()
            made[words] = place
        return made[words]

    return make


@pytest.fixture
def train_here(pets_root: Path, small_clip_file: Path, capfd, monkeypatch) -> Callable:
    """As ``train_py``, in this process: for what ends before or soon after training starts."""
    from npt_plugin.cli.train import main

    def call(*words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
        argv = [*words] if "--root" in words else [*words, "--root", str(pets_root)]
        argv += [*SMALL, "MODEL.CLIP_WEIGHTS", str(small_clip_file), *options]
        monkeypatch.setattr(sys, "stdout", sys.stdout)  # Dassl's logger replaces it
        capfd.readouterr()
        code = main(argv)
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(argv, code, out, err)

    return call


@pytest.fixture
def train_words(pets_root: Path, small_clip_file: Path) -> Callable:
    """``train_words("--trainer", "CoOp", options=("KEY", "value"))``: words for train.py."""

    def call(*words: str, options: tuple[str, ...] = ()) -> list[str]:
        weights = ("MODEL.CLIP_WEIGHTS", str(small_clip_file))
        return [*words, "--root", str(pets_root), *SMALL, *weights, *options]

    return call


@pytest.fixture
def start_train_py(pets_root: Path, small_clip_file: Path) -> Callable:
    """``start_train_py("--trainer", "CoOp", ...)`` starts train.py and does not wait for it."""

    def call(*words: str, options: tuple[str, ...] = ()) -> subprocess.Popen:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        env |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY / "third_party")}
        command = [sys.executable, str(REPOSITORY / "train.py"), *words]
        if "--root" not in words:
            command += ["--root", str(pets_root)]
        command += [*SMALL, "MODEL.CLIP_WEIGHTS", str(small_clip_file), *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=env, **pipes)

    return call


@pytest.fixture(scope="session")
def torchrun() -> Callable:
    """``torchrun(2, "job.py", "word", ...)``: several processes of a job, and how they ended.

    ``before``: folders that lead their import path.
    """

    def call(
        number: int, *words: object, before: tuple = (), wait: float = 300
    ) -> subprocess.CompletedProcess:
        paths = [*before, str(REPOSITORY), str(REPOSITORY / "third_party")]
        env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(number), *map(str, words)]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=wait)

    return call


@pytest.fixture
def train_py(start_train_py: Callable) -> Callable:
    """``train_py("--trainer", "CoOp", ...)`` runs train.py in a process of its own."""

    def call(*words: str, options: tuple[str, ...] = (), timeout: float = 120):
        process = start_train_py(*words, options=options)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return call
