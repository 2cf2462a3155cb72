"""One sentence where a project lacks a module, data, weights, or what only another Dassl has."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from npt_plugin.engine.framework import SimpleTrainer, described
from npt_plugin.errors import UserError, user_errors
from npt_plugin.hosts.not_there import absent_data, failed_download

_REMEDY = (
    "Put the Dassl that the project's README names into its folder (Dassl.pytorch/), or install it."
)


_DASSLS = ("dassl", "minidassl")
_ENGINES = (*_DASSLS, "npt_plugin")


def as_sentence(error: Exception) -> BaseException:
    """The error to raise in place of one that ended a project's script: itself, or a sentence.

    A script may have wrapped the error in one of its own; what it wrapped counts, Ctrl-C too.
    """
    for cause in _chain(error):
        if not isinstance(cause, Exception):
            return cause
        if isinstance(cause, user_errors()):
            return cause
        if isinstance(cause, ModuleNotFoundError) and _package(cause) not in _ENGINES:
            return UserError(
                f"This project imports {cause.name}, which is neither in its folder nor installed: "
                "see its list of requirements."
            )
        outside = absent_data(cause) or failed_download(cause)
        if outside:
            return UserError(outside)
        missing = _missing(cause)
        if missing:
            return UserError(f"{missing} in {described()}. {_REMEDY}")
    return error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _package(error: ImportError) -> str:
    return (error.name or "npt_plugin").split(".")[0]


def _missing(error: Exception) -> str:
    if isinstance(error, ImportError) and _package(error) in _DASSLS:
        return f"This project's import fails ({error})"
    if isinstance(error, AttributeError) and isinstance(error.obj, SimpleTrainer):
        name = type(error.obj).__name__
        return f"{name} asks for {error.name!r}, which is not"
    return _keyword(error) if isinstance(error, TypeError) else ""


def _keyword(error: TypeError) -> str:
    """What is said where a function of Dassl does not know an argument that its fork has."""
    found = re.match(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'", str(error))
    if found is None:
        return ""
    name, argument = found.groups()
    modules = [module for path, module in sys.modules.items() if path.split(".")[0] in _DASSLS]
    owners = {str(getattr(vars(m).get(name.split(".")[0]), "__module__", "")) for m in modules}
    if not any(owner.split(".")[0] in _DASSLS for owner in owners):
        return ""
    return f"This project calls {name} with {argument!r}, which it does not take"
