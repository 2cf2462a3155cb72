"""MATLAB annotation files (Stanford Cars, Flowers 102)."""

from __future__ import annotations

from typing import Any

from npt_plugin.errors import UserError


def read_mat(name: str, path: str) -> dict[str, Any]:
    """Variables of a ``.mat`` file.

    Args:
        name: dataset name for the error message.
        path: the file.

    Raises:
        UserError: absent or unreadable.
    """
    from scipy.io import loadmat  # comes with scikit-learn; only needed when no split file exists

    try:
        return loadmat(path)
    except Exception as error:  # scipy raises many kinds for a broken file
        raise UserError(
            f"{name}: '{path}' cannot be read ({error}); fetch it again, or fetch the split file, "
            "which makes it unnecessary."
        ) from error
