"""Name-to-object tables that trainers, datasets, evaluators and models register in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from typing import Any, TypeVar

from minidassl.errors import ConfigError

T = TypeVar("T")


class Registry:
    """A table of classes or functions by their own name.

    Use ``@REGISTRY.register()`` as a decorator, or call ``REGISTRY.register(thing)``.

    Args:
        name: What the table holds, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._objects: dict[str, Any] = {}
        self._listeners: list[Callable[[Any], None]] = []

    def on_register(self, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Call ``listener`` with every object that is registered from now on.

        Args:
            listener: May register more, also under the same name.

        Returns:
            Ends that.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def register(self, obj: T | None = None, force: bool = False) -> T | Callable[[T], T]:
        """Add an object under its ``__name__``.

        Args:
            obj: The object, or None to get a decorator.
            force: Replace an entry of the same name.

        Returns:
            The object, or the decorator.

        Raises:
            KeyError: The name is taken and ``force`` is false.
        """

        def add(thing: T) -> T:
            name = thing.__name__
            if not force and name in self._objects:
                raise KeyError(f"{name!r} is already in the {self._name} registry")
            self._objects[name] = thing
            for listener in self._listeners:
                listener(thing)
            return thing

        return add if obj is None else add(obj)

    def get(self, name: str) -> Any:
        """Return the object registered as ``name``.

        Args:
            name: Exact name.

        Returns:
            The registered class or function.

        Raises:
            KeyError: Nothing has that name.
        """
        try:
            return self._objects[name]
        except KeyError:
            raise KeyError(f"{name!r} is not in the {self._name} registry") from None

    def registered_names(self) -> list[str]:
        """Return all names, in order of registration.

        Returns:
            A new list.
        """
        return list(self._objects)


def get_most_similar_str_to_a_from_b(a: str, b: Iterable[str]) -> str | None:
    """Find the candidate most like a probe string.

    Args:
        a: The probe.
        b: Candidates; of equally similar ones the last wins.

    Returns:
        The best candidate, or None when there are none.
    """
    best, best_ratio = None, 0.0
    for candidate in b:
        ratio = SequenceMatcher(None, a, candidate).ratio()
        if ratio >= best_ratio:
            best, best_ratio = candidate, ratio
    return best


def check_availability(requested: str, available: list[str]) -> None:
    """Refuse a name that is not on the list, naming the nearest one that is.

    Args:
        requested: The name asked for.
        available: Allowed names.

    Raises:
        ConfigError: (a ValueError) the name is not allowed.
    """
    if requested in available:
        return
    nearest = get_most_similar_str_to_a_from_b(requested, available)
    raise ConfigError(
        f"[{requested}] is not available; did you mean [{nearest}]? "
        f"Expected one of {sorted(available)}."
    )
