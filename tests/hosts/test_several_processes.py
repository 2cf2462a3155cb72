"""Our trainers under torchrun on Dassl itself: the numbers of one process on our stand-in.

Runs when NPT_HOSTS names a folder that holds a checkout of Dassl (``Dassl.pytorch``).
"""

import os
from pathlib import Path

import pytest
import several_processes as table
import torch
from tolerance import gap

DASSL = Path(os.environ.get("NPT_HOSTS", ".")) / "Dassl.pytorch"
ROWS = ("CoOp", "CoOp, SAM, class-balanced sampling", "CoCoOp, five images", "NPT_MaPLe")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ("NPT_HOSTS" in os.environ and (DASSL / "dassl").is_dir()),
        reason="NPT_HOSTS does not name a folder with a Dassl.pytorch checkout",
    ),
]


@pytest.mark.numerics
def test_several_processes_on_dassl(torchrun, pets_root, small_clip_file, make_trainer, tmp_path):
    out = tmp_path / "several"
    out.mkdir()
    words = (table.__file__, pets_root, small_clip_file, out, *ROWS)
    done = torchrun(2, *words, before=(str(DASSL),))
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"framework": "dassl"' in (out / "float64" / "0" / "results.json").read_text()
    wanted = table.learn(make_trainer, tmp_path / "one", ROWS)
    for rank in range(2):
        found = torch.load(out / f"float64.{rank}.pt", weights_only=True)
        for name in ROWS:
            for key, tensor in found[name].items():
                assert gap(tensor.double(), wanted[name][key].double()) < 1e-12, (name, key)
