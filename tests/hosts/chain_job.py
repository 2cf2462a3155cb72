"""Runs several ``python -m npt_plugin`` command lines in one process, to import torch once.

python chain_job.py FILE: a JSON list of {"arguments": [...], ...}. A run with "cut" is ended by
Ctrl-C when its second epoch begins; one with "prove" by ``proof_in`` with those arguments. Each
epoch has random numbers of its own, so that a resumed run can be the whole one.
"""

import json
import os
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from npt_plugin.__main__ import main
from npt_plugin.hosts import runner

run: dict = {}
prepare = runner.prepare_dassl


def prepare_dassl():
    prepare()
    from dassl.engine import TrainerX
    from dassl.utils import set_random_seed

    def before_epoch(self):
        if run.get("cut") and self.epoch == 1:
            raise KeyboardInterrupt
        set_random_seed(100 + self.epoch)

    TrainerX.before_epoch = before_epoch


def leave(code):
    raise SystemExit(code)


runner.prepare_dassl = prepare_dassl
os._exit = leave  # ATPrompt's Dassl ends a training so
for number, run in enumerate(json.loads(Path(sys.argv[1]).read_text())):  # noqa: B007
    sys.stdout = os.fdopen(os.dup(1), "w", buffering=1)  # a logger took and closed the last
    print(f"@@ run {number}")
    around = nullcontext()
    if "prove" in run:
        from gradient_proof import proof_in

        around = proof_in(**run["prove"])
    with patch.object(sys, "argv", ["npt_plugin", *run["arguments"]]), around:
        try:
            code = main()
        except SystemExit as end:
            code = end.code or 0
        except Exception:
            traceback.print_exc()
            code = 1
    os.write(1, f"@@ exit {code}\n".encode())  # whatever stands in for sys.stdout
