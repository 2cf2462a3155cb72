from __future__ import annotations

from pathlib import Path

import pytest
from mini_trees import SIZES, put
from reader_checks import FewShotChecks, read, sizes

from npt_plugin.datasets.imagenet import name_of, read_classnames
from npt_plugin.errors import UserError


class TestImageNet(FewShotChecks):
    name = "ImageNet"
    names = ["tench", "goldfish", "Dalmatian", "chain-link fence", "soccer ball"]

    def test_every_image_is_in_exactly_one_part(self, root: Path) -> None:
        data = read(self.name, root)
        assert data.val is data.test  # the validation images are the test images, as everywhere
        assert sizes(data.train_x) == list(SIZES) and sizes(data.test) == [5] * 5

    def test_a_pickle_of_a_host_is_not_opened(self, fresh: Path) -> None:
        (fresh / "imagenet/preprocessed.pkl").write_bytes(b"would raise if it were loaded")
        assert read(self.name, fresh).num_classes == 5

    def test_a_class_that_only_the_validation_images_have_is_refused(self, fresh: Path) -> None:
        put(fresh / "imagenet/images/val/n09999999/a.jpg")
        with pytest.raises(UserError, match="images/val holds the folder 'n09999999'"):
            read(self.name, fresh)


def test_class_names_may_hold_spaces_and_must_be_complete(tmp_path: Path) -> None:
    (tmp_path / "classnames.txt").write_text("n01 great white shark\n\nn02 crane\n")
    names = read_classnames("ImageNet", str(tmp_path / "classnames.txt"))
    assert names == {"n01": "great white shark", "n02": "crane"}
    assert name_of("ImageNet", names, "n02") == "crane"
    with pytest.raises(UserError, match="classnames.txt does not list the folder 'n03'"):
        name_of("ImageNet", names, "n03")
