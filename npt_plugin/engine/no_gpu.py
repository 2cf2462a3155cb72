"""What a host's script asks of ``torch.cuda`` on a machine without a GPU.

Public scripts name their GPU while they are imported, long before a config says ``USE_CUDA``. Where
we run such a script and there is none, its questions are answered for the CPU: device 0 is the
current one, is called "cpu" and has capability (0, 0); choosing it or waiting for it does nothing.
``is_available()`` and ``device_count()`` say what is true, False and 0. What is only found on a GPU
(``get_device_properties``, streams, events) still fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from npt_plugin.engine.full_precision import ignore_from_now_on
from npt_plugin.engine.replaced import is_done, replace

ANSWERS: dict[str, Any] = {
    "current_device": 0,
    "get_device_capability": (0, 0),
    "get_device_name": "cpu",
    "reset_peak_memory_stats": None,
    "set_device": None,
    "synchronize": None,
}
"""Functions of ``torch.cuda`` and what they return."""


def mean_the_cpu() -> bool:
    """From now on whatever names a CUDA device means the CPU, unless there is one.

    Returns:
        Whether there is none.
    """
    if torch.cuda.is_available():
        return False
    ignore_from_now_on(frozenset({torch.Tensor.cuda}))
    for name, answer in ANSWERS.items():
        if not is_done(f"cuda.{name}", torch.cuda):
            replace(f"cuda.{name}", torch.cuda, _answering(answer))
    return True


def _answering(answer: Any) -> Callable[..., Any]:
    def ask(*args: Any, **kwargs: Any) -> Any:
        return answer

    return ask
