"""How the tiny CLIP does on the drawn benchmarks: zero-shot and 16-shot linear probe."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from clip.model import CLIP, build_model
from sklearn.linear_model import LogisticRegression
from tabulate import tabulate
from torch import Tensor

from npt_plugin.backbone.openai import byte_pairs
from npt_plugin.backbone.tiny import load_tiny_state_dict
from npt_plugin.embedded.batches import normalise, padded
from npt_plugin.embedded.specs import BENCHMARKS, Spec, spec_of
from npt_plugin.embedded.towers import text_tower
from npt_plugin.embedded.weights import END, START
from npt_plugin.embedded.writing import PER_CLASS
from npt_plugin.system.exit_codes import exit_code
from npt_plugin.system.progress import progress

SHOTS = 16
_STRENGTHS = (0.1, 1.0, 10.0, 100.0)


def load_tiny() -> CLIP:
    """The committed model in fp32, ready for evaluation."""
    return build_model(load_tiny_state_dict()).float().eval()


@torch.no_grad()
def encode_pictures(model: CLIP, spec: Spec, label: int, numbers: range) -> Tensor:
    """Draw and encode pictures of one class; nothing is written to disk.

    Args:
        model: The tiny CLIP.
        spec: Benchmark.
        label: Class index.
        numbers: Which pictures of the class.

    Returns:
        (N, D) unit-norm features.
    """
    images = np.stack([spec.picture(label, number) for number in numbers])
    return F.normalize(model.visual(normalise(torch.from_numpy(images))), dim=-1)


@torch.no_grad()
def encode_prompts(model: CLIP, prompts: list[str]) -> Tensor:
    """Encode prompts.

    Args:
        model: The tiny CLIP.
        prompts: K sentences.

    Returns:
        (K, D) unit-norm features.
    """
    encode = byte_pairs().encode
    tokens, ends = padded([[START, *encode(prompt), END] for prompt in prompts])
    return F.normalize(text_tower(model, model.token_embedding(tokens), ends), dim=-1)


def probe_accuracy(train: list[Tensor], val: list[Tensor], test: list[Tensor]) -> float:
    """The accuracy of a linear probe whose strength is chosen on the validation pictures.

    Args:
        train: Features (n, D) of each class.
        val: The same for validation.
        test: The same for testing.

    Returns:
        Per cent correct on ``test``.
    """
    (x, y), (xv, yv), (xt, yt) = (_stack(part) for part in (train, val, test))
    best, chosen = -1.0, None
    for strength in _STRENGTHS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # too few iterations at weak regularisation
            probe = LogisticRegression(C=strength, max_iter=500).fit(x, y)
        if (score := probe.score(xv, yv)) > best:
            best, chosen = score, probe
    assert chosen is not None
    return 100 * chosen.score(xt, yt)


def _stack(parts: list[Tensor]) -> tuple[np.ndarray, np.ndarray]:
    scale = 5.0  # unit-norm features are small for scikit-learn's default strengths
    labels = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return torch.cat(parts).numpy() * scale, labels


def measure(model: CLIP, spec: Spec, per_class: tuple[int, int, int] = PER_CLASS) -> dict[str, Any]:
    """Measure one benchmark.

    Args:
        model: The tiny CLIP.
        spec: Benchmark.
        per_class: Pictures a class in train, val and test; the probe sees the first 16 of train.

    Returns:
        Per cent correct: zero-shot on base, new and all classes; linear probe on base and new.
    """
    a, b, c = np.cumsum(per_class).tolist()
    classes, half = range(len(spec.class_names)), len(spec.class_names) // 2
    train = [encode_pictures(model, spec, k, range(min(SHOTS, a))) for k in classes]
    val = [encode_pictures(model, spec, k, range(a, b)) for k in classes]
    test = [encode_pictures(model, spec, k, range(b, c)) for k in classes]
    text = encode_prompts(model, [spec.template.format(name) for name in spec.class_names])
    parts = {"base": slice(0, half), "new": slice(half, None), "all": slice(None)}
    row: dict[str, Any] = {"benchmark": spec.name}
    for name, part in parts.items():
        features, labels = _stack(test[part])
        guess = (torch.from_numpy(features) @ text[part].T).argmax(1).numpy()
        row[f"zero-shot {name}"] = 100 * float((guess == labels).mean())
    for name in ("base", "new"):
        part = parts[name]
        row[f"probe {name}"] = probe_accuracy(train[part], val[part], test[part])
    return row


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments; default ``sys.argv``.

    Returns:
        Exit code: 0, or 2 after a user error.
    """
    parser = argparse.ArgumentParser(
        prog="python -m npt_plugin.embedded.quality", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--names", nargs="*", help="only these benchmarks (default: all)")
    return exit_code(_print_table, parser.parse_args(argv).names or list(BENCHMARKS))


def _print_table(names: list[str]) -> None:
    specs = [spec_of(name) for name in names]
    model = load_tiny()
    rows = [measure(model, spec) for spec in progress(specs, desc="measuring")]
    print(tabulate(rows, headers="keys", floatfmt=".1f"))
    print(
        f"Per cent correct, {PER_CLASS[2]} test pictures a class, {SHOTS}-shot linear probe; "
        f"logit scale {model.logit_scale.exp().item():.1f}."
    )


if __name__ == "__main__":
    sys.exit(main())
