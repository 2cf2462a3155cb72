"""One sentence where a project lacks a module, or what only another Dassl has."""

from __future__ import annotations

from collections.abc import Iterator

from npt_plugin.engine.framework import SimpleTrainer, described
from npt_plugin.errors import UserError, user_errors

_REMEDY = (
    "Put the Dassl that the project's README names into its folder (Dassl.pytorch/), or install it."
)


_ENGINES = ("dassl", "minidassl", "npt_plugin")


def as_sentence(error: Exception) -> Exception:
    """The error to raise in place of one that ended a project's script: itself, or a sentence.

    A script may have wrapped the error in one of its own; what it wrapped counts.
    """
    for cause in _chain(error):
        if isinstance(cause, user_errors()):
            return cause
        if isinstance(cause, ModuleNotFoundError) and _package(cause) not in _ENGINES:
            return UserError(
                f"This project imports {cause.name}, which is neither in its folder nor installed: "
                "see its list of requirements."
            )
        missing = _missing(cause)
        if missing:
            return UserError(f"{missing} in {described()}. {_REMEDY}")
    return error


def _chain(error: BaseException | None) -> Iterator[Exception]:
    while isinstance(error, Exception):
        yield error
        error = error.__cause__ or error.__context__


def _package(error: ImportError) -> str:
    return (error.name or "npt_plugin").split(".")[0]


def _missing(error: Exception) -> str:
    if isinstance(error, ImportError) and _package(error) in ("dassl", "minidassl"):
        return f"This project's import fails ({error})"
    if isinstance(error, AttributeError) and isinstance(error.obj, SimpleTrainer):
        name = type(error.obj).__name__
        return f"{name} asks for {error.name!r}, which is not"
    return ""
