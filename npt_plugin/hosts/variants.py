"""``NPT_<Name>`` for every trainer of a host, whether it registers before us or after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npt_plugin.engine.framework import TRAINER_REGISTRY
from npt_plugin.engine.joining import follow
from npt_plugin.errors import UserError
from npt_plugin.hosts.kept_config import put_back
from npt_plugin.hosts.wrap import make_host_trainer
from npt_plugin.trainers import NPT_TRAINERS

BASES = ("plugin", "host")


def register_host_trainers(registry: Any = TRAINER_REGISTRY) -> None:
    """Register the NPT variant of every host trainer, those registered later included.

    May run as often as one likes. No name that a host uses is taken.
    """
    for name in registry.registered_names():
        _register_variant(registry, name, registry.get(name))
    follow(registry, lambda new: _register_variant(registry, new.__name__, new))


def is_host_trainer(name: str, trainer: Any) -> bool:
    """Whether a registry entry is a project's own trainer: a class, not ours, not Dassl's."""
    if not isinstance(trainer, type) or name.startswith(("NPT_", "NPT-")):
        return False
    return trainer.__module__.split(".")[0] not in ("npt_plugin", "dassl", "minidassl")


def _register_variant(registry: Any, name: str, trainer: Any) -> None:
    if not is_host_trainer(name, trainer):
        return
    wanted = f"NPT_{name}"
    taken = wanted in registry.registered_names()
    held = registry.get(wanted) if taken else None
    if taken and not held.__module__.startswith("npt_plugin."):  # the host's own
        return
    if getattr(held, "host_class", None) is trainer:
        return
    variant: Any = make_host_trainer(trainer)
    if wanted in NPT_TRAINERS and not getattr(NPT_TRAINERS[wanted], "yields_to_host", False):
        variant = _choice(wanted, NPT_TRAINERS[wanted], variant)
    for entry in (wanted, f"NPT-{name}"):
        registry.register(_named(variant, entry), force=True)


def _choice(name: str, plugin: type, host: type) -> Callable[[Any], Any]:
    """What ``TRAINER.NPT.BASE`` decides: our trainer or the host's with NPT on it."""

    def build(cfg: Any) -> Any:
        put_back(cfg)
        base = cfg.TRAINER.NPT.BASE
        if base not in BASES:
            raise UserError(f"TRAINER.NPT.BASE is {base!r}; allowed are {' and '.join(BASES)}.")
        return (host if base == "host" else plugin)(cfg)

    build.__name__ = name
    build.host_class = host.host_class  # type: ignore[attr-defined]  # functions take attributes
    return build


def _named(trainer: Any, name: str) -> Any:
    """``trainer`` under another ``__name__``, which is what Dassl's registry goes by."""
    if trainer.__name__ == name:
        return trainer
    if isinstance(trainer, type):
        return type(name, (trainer,), {"__module__": __name__, "__doc__": trainer.__doc__})

    def alias(cfg: Any) -> Any:
        return trainer(cfg)

    alias.__name__ = name
    alias.host_class = trainer.host_class  # type: ignore[attr-defined]  # functions take attributes
    return alias
