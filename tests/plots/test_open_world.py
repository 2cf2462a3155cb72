"""New images by the frequency of the class that takes them: means over classes of one count."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.plots.open_world import shares_by_count, where_new_images_go


@pytest.fixture
def tested(unit):
    """``tested("CoOp", 1, [16, 1, 1], [30.0, 10.0, 0.0])``: counts, and shares taken."""

    def make(trainer, seed, counts, taken, **more):
        one = unit(trainer, seed, 60, 40, **more)
        object.__setattr__(one.runs["base"].record, "class_counts", counts)
        one.runs["new"].record.metrics["open_world"] = {"taken": taken}
        return one

    return make


def test_classes_of_one_count_are_averaged_over_runs(tested):
    units = [
        tested("CoOp", 1, [16, 1, 1], [30.0, 10.0, 0.0]),
        tested("CoOp", 2, [16, 4, 1], [20.0, 8.0, 2.0]),
    ]
    assert shares_by_count(units) == [(1, 4.0), (4, 8.0), (16, 25.0)]


def test_every_trainer_is_a_line_and_every_setting_a_panel(tested, unit):
    units = [
        tested(trainer, 1, [16, 1], [rise, 1.0], ratio=tau)
        for trainer, rise in (("CoOp", 9.0), ("NPT_CoOp", 5.0))
        for tau in (0.06, 1.0)
    ]
    figure = where_new_images_go([*units, unit("MaPLe", 1, 60, 40)])  # MaPLe was not tested so
    assert [axis.get_title() for axis in figure.axes] == ["tau 1, 16 shots", "tau 0.06, 16 shots"]
    drawn = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[1].lines}
    assert drawn == {"CoOp": [[1, 1], [16, 9]], "NPT_CoOp": [[1, 1], [16, 5]]}


def test_runs_without_the_measures_are_one_sentence(unit):
    with pytest.raises(UserError, match="not tested with all names together"):
        where_new_images_go([unit("CoOp", 1, 60, 40)])
