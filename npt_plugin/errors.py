"""Mistakes a user can make and mend: our own exception, and which others count as one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake in the input: one clear sentence: the value, what is allowed and what to do.

    Entry points print the sentence and exit with code 2, without a traceback.
    """


_USER_ERRORS: list[type[Exception]] = [UserError]


def count_as_user_errors(*classes: type[Exception]) -> None:
    """Let further exceptions end as ``UserError`` does; the engine names its own here."""
    _USER_ERRORS.extend(cls for cls in classes if cls not in _USER_ERRORS)


def user_errors() -> tuple[type[Exception], ...]:
    """Every exception that stands for a user's mistake, for ``except`` and ``isinstance``."""
    return tuple(_USER_ERRORS)


def nearest_hint(value: str, allowed: Iterable[str]) -> str:
    """``" (did you mean 'X'?)"`` for the closest allowed name, or an empty string.

    Upper and lower case are not told apart when searching.
    """
    by_lower = {name.lower(): name for name in allowed}
    close = get_close_matches(value.lower(), list(by_lower), n=1, cutoff=0.5)
    return f" (did you mean {by_lower[close[0]]!r}?)" if close else ""


def first_line(error: Exception) -> str:
    """The beginning of an error's message, or its type."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]


def excerpt(value: object, limit: int = 80) -> str:
    """A value for a sentence: at most ``limit`` characters of it, on one line.

    Example:
        >>> excerpt("a" * 100, limit=8)
        'aaaaaaaa... (100 characters)'
    """
    text = " ".join(str(value).split())
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
