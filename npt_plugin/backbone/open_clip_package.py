"""open_clip, an optional package: imported only when somebody asks for one of its models."""

from __future__ import annotations

from types import ModuleType

from npt_plugin.errors import UserError, first_line

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
