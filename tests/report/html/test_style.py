"""Light and dark have the same names; the colours are those of the pictures."""

import re

from npt_plugin.plots.style import COLOURS
from npt_plugin.report.html.style import STYLE


def test_every_colour_has_a_dark_one():
    light, dark = re.findall(r":root\{(.*?)\}", STYLE)
    names = [set(re.findall(r"--\w+", text)) for text in (light, dark)]
    assert names[0] == names[1] and len(names[0]) == len(COLOURS) + 6
    used = set(re.findall(r"var\((--\w+)\)", STYLE))
    assert used <= names[0]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_text_can_be_read_and_marks_be_seen():
    """Contrast by WCAG: 4.5 for text, here 2 at least for marks, which have shapes besides."""
    for scheme in re.findall(r":root\{(.*?)\}", STYLE):
        colours = dict(re.findall(r"--(\w+):(#\w+)", scheme))
        full = {
            n: c if len(c) == 7 else "#" + "".join(x * 2 for x in c[1:]) for n, c in colours.items()
        }
        paper = luminance(full["paper"])
        for name in full.keys() - {"paper", "rule", "tint"}:
            high, low = sorted((luminance(full[name]), paper), reverse=True)
            contrast = (high + 0.05) / (low + 0.05)
            assert contrast >= (2 if name[0] == "c" else 4.5), (name, contrast)
