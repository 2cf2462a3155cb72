"""MATLAB annotation files (Stanford Cars, Flowers 102)."""

from __future__ import annotations

from typing import Any

from scipy.io import loadmat

from npt_plugin.errors import UserError


def read_mat(name: str, path: str) -> dict[str, Any]:
    """Variables of a ``.mat`` file.

    Args:
        name: Dataset name for the error message.
        path: The file.

    Raises:
        UserError: Absent or unreadable.
    """
    try:
        return loadmat(path)
    except Exception as error:  # scipy raises many kinds for a broken file
        raise UserError(
            f"{name}: '{path}' cannot be read ({error}); fetch it again, or fetch the split file, "
            "which makes it unnecessary."
        ) from error
