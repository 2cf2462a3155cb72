from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from npt_plugin.datasets.matlab import read_mat
from npt_plugin.errors import UserError


def test_variables_of_a_file(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"labels": np.array([[3, 1, 2]])})
    assert read_mat("Flowers", str(tmp_path / "a.mat"))["labels"].tolist() == [[3, 1, 2]]


@pytest.mark.parametrize("content", [None, b"", b"no matlab", b"MATLAB 5.0 MAT-file" + b"x" * 200])
def test_what_is_no_such_file_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(UserError, match="Flowers: '.*a.mat' cannot be read .*fetch it again"):
        read_mat("Flowers", str(tmp_path / "a.mat"))
