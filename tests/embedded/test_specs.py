from collections import Counter

import numpy as np
import pytest

from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.palette import SHADE_NAMES
from npt_plugin.embedded.specs import BENCHMARKS
from npt_plugin.embedded.writing import VERSION

BRIGHTNESS = {
    "EmbeddedObjects": (
        "213 119 132 109 97 176 73 149 101 148 202 153 51 183 122 192 88 159 114 116 91 157 143 "
        "48 143 125 149 114 156 85 152 149"
    ),
    "EmbeddedShades": (
        "128 86 103 91 117 126 93 116 89 62 108 79 103 109 97 82 77 67 160 115 77 89 167 71 126 "
        "94 115 117 148 35 102 121"
    ),
    "EmbeddedTextures": (
        "93 107 116 148 58 159 128 175 80 189 165 120 144 86 178 133 69 76 163 145 120 128 88 75 "
        "128 118 121 160 118 147 119 139"
    ),
    "EmbeddedOverhead": (
        "157 164 146 85 162 114 201 151 76 156 187 103 120 88 133 177 93 153 148 165 126 118 150 "
        "113 165 77 178 126 137 136 121 157"
    ),
    "EmbeddedSketches": (
        "203 203 209 221 189 224 207 226 198 225 214 222 201 220 192 241 212 209 234 231 210 205 "
        "227 197 191 195 222 192 221 200 214 208"
    ),
    "EmbeddedPairs": (
        "87 176 102 106 105 175 97 117 114 138 100 94 71 110 164 109 200 173 164 179 172 118 174 "
        "110 128 117 109 130 202 152 130 104"
    ),
    "EmbeddedPosters": (
        "175 141 186 190 153 186 135 178 155 182 161 147 174 183 148 160 189 187 174 171 176 182 "
        "151 176 164 174 167 183 162 161 185 176"
    ),
    "EmbeddedWoodcuts": (
        "127 106 145 92 126 104 175 110 69 103 177 118 107 102 105 160 97 156 106 144 99 97 "
        "135 107 136 85 140 103 104 92 97 106"
    ),
}
"""Mean pixel of the first picture of each class, as version 2 draws it."""


def test_benchmarks_have_32_different_ordinary_names():
    assert len(BENCHMARKS) >= 4
    for name, spec in BENCHMARKS.items():
        assert spec.name == name
        assert len(set(spec.class_names)) == len(spec.class_names) == 32
        assert list(spec.class_names) == sorted(spec.class_names)
        assert all(word.replace(" ", "").isalpha() for word in spec.class_names)
        assert spec.template.count("{}") == 1
    assert len({spec.directory for spec in BENCHMARKS.values()}) == len(BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_pictures_are_fixed_and_differ(name):
    spec = BENCHMARKS[name]
    first = spec.picture(3, 5)
    assert first.shape == (48, 48, 3) and first.dtype == np.uint8
    assert np.array_equal(first, spec.picture(3, 5))
    assert not np.array_equal(first, spec.picture(3, 6))
    assert not np.array_equal(first, spec.picture(4, 5))


def test_pairs_use_every_colour_and_every_object_four_times():
    words = [name.split(" ") for name in BENCHMARKS["EmbeddedPairs"].class_names]
    for column, known in ((0, SHADE_NAMES), (1, ICON_NAMES)):
        counts = Counter(pair[column] for pair in words)
        assert set(counts) <= set(known) and set(counts.values()) == {4} and len(counts) == 8


def test_benchmarks_of_the_same_classes_draw_different_pictures():
    objects, sketches = BENCHMARKS["EmbeddedObjects"], BENCHMARKS["EmbeddedSketches"]
    assert objects.class_names == sketches.class_names
    assert not np.array_equal(objects.picture(0, 0), sketches.picture(0, 0))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_changed_drawing_needs_a_new_version(name):
    """Pictures on disk are drawn again only where ``writing.VERSION`` has been raised."""
    assert VERSION == 2, "take the table above anew"
    expected = [int(value) for value in BRIGHTNESS[name].split()]
    found = [BENCHMARKS[name].picture(label, 0).mean() for label in range(32)]
    # half a unit of rounding, and as much for the edges of another Pillow
    assert np.abs(np.array(found) - expected).max() < 1
