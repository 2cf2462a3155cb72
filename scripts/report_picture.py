"""The README's picture of the report: the top of report.html, as headless Chromium shows it.

python scripts/report_picture.py output/demo
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "report.png"
SIZE = "1000,700"


def main(folder: str) -> int:
    """Draw it with few colours, which keeps it small."""
    page = (Path(folder) / "report.html").resolve()
    with tempfile.TemporaryDirectory() as place:
        shot = Path(place) / "shot.png"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        words = [*flags, f"--window-size={SIZE}", f"--screenshot={shot}", page.as_uri()]
        subprocess.run(["chromium", *words], check=True, capture_output=True, timeout=120)
        Image.open(shot).convert("RGB").quantize(32).save(PICTURE, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
