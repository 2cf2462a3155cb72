from collections import Counter

import numpy as np
import pytest

from npt_plugin.embedded.icons import ICON_NAMES
from npt_plugin.embedded.palette import SHADE_NAMES
from npt_plugin.embedded.specs import BENCHMARKS


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
