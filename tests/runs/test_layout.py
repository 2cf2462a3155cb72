"""Paths are read in both spellings, and made in today's."""

from pathlib import Path

import pytest

from npt_plugin.runs.layout import ALL_SHOTS, Place, checkpoint_file, parse
from npt_plugin.sweep.job import Job

SETTING = (16, 1.0, "CoOp", "vit_b16_c2_ep5_batch4_2+2ctx", 3)
PLACES = [
    Place("base2new", "train_base", "dtd", *SETTING),
    Place("base2new", "test_all", "dtd", *SETTING),
    Place("few_shot", "", "dtd", *SETTING),
    Place("xd", "train", "imagenet", *SETTING),
    Place("xd", "test_from_imagenet", "imagenet_a", *SETTING),
    Place("long_tail", "", "cifar100_lt", *SETTING),
    Place("long_tail", "", "imagenet_lt", ALL_SHOTS, *SETTING[1:]),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_read_back(place):
    path = place.folder("")
    assert parse(path) == place
    assert parse(Path(str(path).replace("ratio_1", "ratio_1.0"))) == place


def test_a_transfer_knows_its_source():
    assert {place.source for place in PLACES if place.protocol == "xd"} == {"imagenet"}


@pytest.mark.parametrize("ratio", [1.0, 0.06, 0.25, 1e-5])
def test_it_is_where_a_job_writes(ratio):
    job = Job("dtd", "CoOp", "cfg", 3, ratio, 4)
    for part, folder in (("train", "train_base"), ("new", "test_new")):
        assert parse(job.folder(part).relative_to("output")) == Place(
            "base2new", folder, "dtd", 4, ratio, "CoOp", "cfg", 3
        )


@pytest.mark.parametrize(
    "path",
    [
        "try",
        "base2new/train_base/dtd/shots_16/ratio_1/CoOp/cfg",
        "base2new/train_base/dtd/shots_16/ratio_1/CoOp/cfg/seed1/eval/DTD_new",
        "base2new/train_base/dtd/shots_16/ratio_1.2.3/CoOp/cfg/seed1",
        "other/dtd/shots_16/ratio_1/CoOp/cfg/seed1",
    ],
)
def test_other_paths_are_nowhere(path):
    assert parse(Path(path)) is None


@pytest.mark.parametrize("spelling", ["1.0", "1", "1.00", "1e0"])
def test_a_run_of_any_spelling_is_found_on_disk(tmp_path, spelling):
    place = Place("few_shot", "", "dtd", *SETTING)
    old = Path(str(place.folder(tmp_path)).replace("ratio_1", f"ratio_{spelling}"))
    assert place.on_disk(tmp_path) == place.folder(tmp_path)  # nothing is there yet
    old.mkdir(parents=True)
    assert place.on_disk(tmp_path) == old
    place.folder(tmp_path).mkdir(parents=True, exist_ok=True)
    assert place.on_disk(tmp_path) == place.folder(tmp_path)  # today's spelling wins


def test_checkpoints_have_dassls_names():
    assert checkpoint_file("run", "prompt", 50) == Path("run/prompt/model.pth.tar-50")
    assert checkpoint_file("run", "prompt", None) == Path("run/prompt/model-best.pth.tar")
