"""open_clip, an optional package: imported only when somebody asks for one of its models."""

from __future__ import annotations

from types import ModuleType

from npt_plugin.errors import UserError, first_line, nearest_hint

PREFIX = "open_clip:"
"""Of ``MODEL.BACKBONE.NAME`` for its models."""


def open_clip_module() -> ModuleType:
    """The package, imported only when somebody asks for one of its models.

    Raises:
        UserError: If it is not installed.
    """
    try:
        import open_clip
    except ImportError as error:
        raise UserError(
            f"A model of open_clip needs the package open_clip_torch, which cannot be imported "
            f"({first_line(error)}): run `pip install 'npt-plugin[backbones]'`, or use a model of "
            "OpenAI's or Tiny."
        ) from None
    return open_clip


def require_architecture(package: ModuleType, name: str) -> None:
    """Refuse an architecture that open_clip does not know.

    Raises:
        UserError: Naming it, the nearest one and where all of them stand.
    """
    known = package.list_models()
    if name not in known:
        raise UserError(
            f"open_clip knows no architecture {name!r}{nearest_hint(name, known)}; npt list "
            "backbones names those with published weights, `python -c 'import open_clip; "
            "print(open_clip.list_models())'` all."
        )
