"""Let a registry of Dassl's tell us what is registered after us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def follow(registry: Any, registered: Callable[[Any], None]) -> None:
    """From now on call ``registered`` with every object that is registered; once per registry.

    Args:
        registry: A Dassl registry; its ``register`` is replaced by one that does both.
        registered: Called after each registration.
    """
    if getattr(registry, "npt_follows", False):
        return
    register: Callable[..., Any] = registry.register

    def register_both(obj: Any = None, force: bool = False) -> Any:
        if obj is None:  # used as a decorator
            return lambda cls: (register_both(cls, force=force), cls)[1]
        result = register(obj, force=force)
        registered(obj)
        return result

    registry.register = register_both
    registry.npt_follows = True
