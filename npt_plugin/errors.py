"""The one exception for mistakes a user can make and mend."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake in the input: one clear sentence: the value, what is allowed and what to do.

    Entry points print the sentence and exit with code 2, without a traceback.
    """


def nearest_hint(value: str, allowed: Iterable[str]) -> str:
    """``" (did you mean 'X'?)"`` for the closest allowed name, or an empty string.

    Upper and lower case are not told apart when searching.
    """
    by_lower = {name.lower(): name for name in allowed}
    close = get_close_matches(value.lower(), list(by_lower), n=1, cutoff=0.5)
    return f" (did you mean {by_lower[close[0]]!r}?)" if close else ""
