"""Runs several ``python -m npt_plugin`` command lines in one process, to import torch once.

python chain_job.py FILE, a JSON list of argument lists.
"""

import json
import os
import sys
from pathlib import Path

from npt_plugin.__main__ import main

for number, arguments in enumerate(json.loads(Path(sys.argv[1]).read_text())):
    sys.stdout = os.fdopen(os.dup(1), "w", buffering=1)  # Dassl's logger took and closed the last
    sys.argv = ["npt_plugin", *arguments]
    print(f"@@ run {number}")
    code = main()
    print(f"@@ exit {code}", flush=True)
