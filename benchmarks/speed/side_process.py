"""One side of the comparison in a process of its own: reads commands, answers with numbers.

python benchmarks/speed/side_process.py '{"side": "ours", "trainer": "CoOp", "classes": 19, ...}'

Sides: ``ours``, ``plain`` (our prompts, CLIP's own modules at 77 positions) and ``host`` (the code
of a public checkout, which is the working folder). Each command is a line of JSON on standard
input, each answer one on standard output.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

HERE = Path(__file__).resolve().parent
FILES = {
    "CoOp": "CoOp/vit_b16",
    "CoCoOp": "CoCoOp/vit_b16_c4_ep10_batch1_ctxv1",
    "MaPLe": "MaPLe/vit_b16_c2_ep5_batch4_2ctx",
}


def config(spec: dict[str, Any], folder: Path) -> Any:
    """The side's own yaml of the trainer, for the weights of the benchmark.

    In fp32 on a CPU; in fp16 on a GPU, as the public yaml files have it.
    """
    import npt_plugin
    from npt_plugin.engine.framework import get_cfg_default

    base = spec["trainer"].removeprefix("NPT_")
    cfg = npt_plugin.extend_cfg(get_cfg_default())
    cfg.merge_from_file(str(folder / f"configs/trainers/{FILES[base]}.yaml"))
    size = spec["size"]
    cfg.merge_from_list(
        [
            "TRAINER.NAME",
            spec["trainer"],
            f"TRAINER.{base.upper()}.PREC",
            "fp16" if spec.get("device", "cpu") == "cuda" else "fp32",
            "INPUT.SIZE",
            (size, size),
            "MODEL.CLIP_WEIGHTS",
            spec["weights"],
            "TRAINER.MAPLE.PROMPT_DEPTH",
            min(9, spec["layers"]),
            "TRAINER.COOP.N_CTX",
            spec.get("n_ctx", 16),
            "USE_CUDA",
            spec.get("device", "cpu") == "cuda",
            *spec.get("options", ()),
        ]
    )
    cfg.freeze()
    return cfg


def bare_trainer(trainer_class: type, cfg: Any, names: list[str]) -> Any:
    """A trainer with its real model and optimiser, but without a dataset."""
    from npt_plugin.engine.framework import TrainerX

    trainer = trainer_class.__new__(trainer_class)
    base = next(kind for kind in TrainerX.__mro__ if kind.__name__ == "TrainerBase")
    base.__init__(trainer)  # empty tables
    trainer.cfg, trainer.device = cfg, torch.device("cuda" if cfg.USE_CUDA else "cpu")
    dataset = SimpleNamespace(classnames=names)
    trainer.dm, trainer.classnames = SimpleNamespace(dataset=dataset), names
    trainer.class_counts = torch.full((len(names),), 16)
    trainer.train_loader_x, trainer.batch_idx, trainer.num_batches = None, 0, 10**9
    trainer.epoch = trainer.max_epoch = 0
    torch.manual_seed(1)
    trainer.build_model()
    return trainer


def build_ours(spec: dict[str, Any]) -> Any:
    """Our trainer, with the plain towers for the plain side."""
    import npt_plugin
    from npt_plugin.backbone.loading import load_clip
    from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS

    npt_plugin.register(base=True)
    cfg = config(spec, HERE.parents[1])
    kind = {**BASE_TRAINERS, **NPT_TRAINERS}[spec["trainer"]]
    trainer = bare_trainer(kind, cfg, spec["names"])
    if spec["side"] == "plain":
        from plain_clip import make_plain

        clip = load_clip("", spec["weights"])
        clip.cast(trainer.precision.tower_dtype)
        make_plain(trainer.model, clip.model.to(trainer.device))
    return trainer


def build_host(spec: dict[str, Any]) -> Any:
    """The trainer of the checkout in the working folder, its own code."""
    import importlib

    import npt_plugin.engine.framework  # noqa: F401  repairs Dassl for today's PyTorch

    if spec.get("device", "cpu") == "cpu":  # MaPLe forces parts of its model to fp16
        torch.Tensor.half = lambda self, *_, **__: self
    sys.path.insert(0, os.getcwd())
    module = importlib.import_module(f"trainers.{spec['trainer'].lower()}")
    cfg = config(spec, Path.cwd())
    model = importlib.import_module("clip.clip")
    model._download = lambda *args, **kwargs: spec["weights"]
    kind = getattr(module, spec["trainer"])
    return bare_trainer(kind, cfg, spec["names"])


def _finish() -> bool:
    """Wait for the GPU; whether this process uses one."""
    used = torch.cuda.is_initialized()
    if used:
        torch.cuda.synchronize()
    return used


class Clock:
    """Wall seconds and processor seconds since it was made.

    Processor seconds do not count what else runs on the machine; idle threads sleep. With a GPU
    both are wall seconds: its kernels run on while the processor goes on or waits.
    """

    def __init__(self) -> None:
        """Start, when the GPU has done what it was given."""
        _finish()
        self.start = time.perf_counter(), time.process_time()

    def read(self) -> list[float]:
        """[wall, processor] seconds, the GPU's kernels included."""
        if _finish():
            return [time.perf_counter() - self.start[0]] * 2
        return [time.perf_counter() - self.start[0], time.process_time() - self.start[1]]


class Side:
    """Answers commands with [wall, processor] seconds, bytes or numbers.

    Args:
        spec: What to build.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        """Build the trainer and draw the images."""
        torch.set_num_threads(spec["threads"])
        self.host = spec["side"] == "host"
        self.once = spec["side"] == "ours"  # encodes the prompts once an evaluation
        self.trainer = build_host(spec) if self.host else build_ours(spec)
        if spec["trainer"] == "CoOp":  # halves are drawn otherwise than float32 in some PyTorch
            ctx = self.trainer.model.prompt_learner.ctx.data
            ctx.copy_(0.02 * torch.randn(ctx.shape, generator=torch.Generator().manual_seed(8)))
        generator = torch.Generator().manual_seed(7)
        shape = (3, spec["size"], spec["size"])
        device = self.trainer.device  # a loader's transfer is not part of a step
        self.images = torch.randn(spec["most"], *shape, generator=generator).to(device)
        labels = torch.randint(len(spec["names"]), (spec["most"],), generator=generator)
        self.labels = labels.to(device)

    def step(self, batch: int) -> list[float]:
        """Seconds of one training step."""
        return self._train({"img": self.images[:batch], "label": self.labels[:batch]})

    def cached_step(self, batch: int) -> list[float]:
        """Seconds of one training step on cached image features; ours only."""
        with torch.no_grad():
            features = self.trainer.model.image_features(self.images[:1]).expand(batch, -1)
        return self._train({"features": features.contiguous(), "label": self.labels[:batch]})

    def _train(self, batch: dict[str, torch.Tensor]) -> list[float]:
        self.trainer.set_model_mode("train")
        clock = Clock()
        self.trainer.forward_backward(batch)
        return clock.read()

    def text(self) -> list[float]:
        """Seconds of the text part alone, forward and backward (CoOp)."""
        model, clock = self.trainer.model, Clock()
        if self.host:
            features = model.text_encoder(model.prompt_learner(), model.tokenized_prompts)
        else:
            features = model.text_features()
        features.sum().backward()
        return clock.read()

    @torch.no_grad()
    def test(self, batch: int, images_in_test: int) -> list[float]:
        """Seconds an image of an evaluation over ``images_in_test``."""
        self.trainer.set_model_mode("eval")
        model, images = self.trainer.model, self.images[:batch]
        clock, once, text = Clock(), [0.0, 0.0], None
        if self.once and not model.text_depends_on_image:
            text = model.text_features()
            once, clock = clock.read(), Clock()
        model(images) if self.host else model.encode(images, text)
        batches = zip(clock.read(), once, strict=True)
        return [seconds / batch + first / images_in_test for seconds, first in batches]

    @torch.no_grad()
    def logits(self, batch: int) -> list[list[float]]:
        """Logits of the first images, for the parity line."""
        self.trainer.set_model_mode("eval")
        return self.trainer.model_inference(self.images[:batch]).tolist()

    def rss(self) -> int:
        """Bytes the process has had at most: the GPU's memory on a GPU, else the machine's."""
        if torch.cuda.is_initialized():
            return torch.cuda.max_memory_allocated()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def checkpoint(self) -> int:
        """Bytes of a saved checkpoint."""
        with tempfile.TemporaryDirectory() as folder:
            self.trainer.save_model(0, folder)
            return max(p.stat().st_size for p in Path(folder).rglob("model.pth.tar*"))

    def learned(self) -> int:
        """How many numbers are learned; ours only."""
        return sum(p.numel() for p in self.trainer.model.learned().values())

    def objective(self, batch: int) -> list[float]:
        """Seconds of the extra terms alone, forward and backward, on random features."""
        from npt_plugin.backbone.outputs import PromptOutputs

        generator = torch.Generator().manual_seed(9)
        classes = len(self.trainer.classnames)
        width = self.trainer.model.text_encoder.dim
        images, text = (
            torch.nn.functional.normalize(torch.randn(n, width, generator=generator), dim=-1)
            for n in (batch, classes)
        )
        text.requires_grad_()
        outputs, clock = PromptOutputs(images @ text.t(), images, text), Clock()
        sum(self.trainer.objective(outputs, self.labels[:batch]).values()).backward()
        return clock.read()

    def matmul(self, size: int, kernel: str) -> list[float]:
        """Floating-point operations a [wall, processor] second of a square matrix product."""
        a = torch.randn(size, size)
        best = [1e9, 1e9]
        for _ in range(6):
            clock = Clock()
            if kernel == "MKL":
                a @ a
            else:
                torch.ops.mkldnn._linear_pointwise(a, a, None, "none", [], "")
            best = [min(pair) for pair in zip(best, clock.read(), strict=True)]
        return [2 * size**3 / seconds for seconds in best]


def main() -> None:
    """Build, then answer until standard input ends."""
    spec = json.loads(sys.argv[1])
    with redirect_stdout(sys.stderr):
        side = Side(spec)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        with redirect_stdout(sys.stderr):
            answer = getattr(side, name)(**arguments)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
