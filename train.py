# PYTHON_ARGCOMPLETE_OK
"""Train or evaluate one run; see ``python train.py --help``."""

import sys

from npt_plugin.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
