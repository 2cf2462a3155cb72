"""Where a test's features come from: the folder of the user first, then what a sweep shares."""

import pytest

from npt_plugin.runs.feature_store import StoredFeatures
from npt_plugin.runs.known_features import with_known_features
from npt_plugin.runs.shared_features import SharedBatches
from npt_plugin.system.shared import sharing


@pytest.mark.parametrize(
    "store, shared, expected",
    [
        (False, False, None),
        (True, False, StoredFeatures),
        (False, True, SharedBatches),
        (True, True, StoredFeatures),
    ],
)
def test_the_source_of_features(make_trainer, tmp_path, store, shared, expected):
    options = ("TEST.FEATURE_STORE", str(tmp_path / "kept")) if store else ()
    trainer = make_trainer("CoOp", *options)
    if shared:
        with sharing(tmp_path / "shared"):
            found = with_known_features(trainer, trainer.test_loader)
    else:
        found = with_known_features(trainer, trainer.test_loader)
    assert found is trainer.test_loader if expected is None else type(found) is expected


def test_a_method_that_learns_the_image_side_shares_nothing(make_trainer, tmp_path):
    trainer = make_trainer("MaPLe")
    with sharing(tmp_path / "shared"):
        assert with_known_features(trainer, trainer.test_loader) is trainer.test_loader
