"""Every picture names its run or runs."""

from run_records import record

from npt_plugin.plots.style import new_figure
from npt_plugin.plots.titles import heading, of_run, of_units, trainers_of


def test_a_run_is_named():
    run = record(trainer="NPT_CoOp", classes="base", ratio=0.06, seed=3)
    assert of_run(run) == "NPT_CoOp on OxfordPets, base classes, tau 0.06, 16 shots, seed 3"
    assert of_run(record(shots=-1)) == "CoOp on OxfordPets, tau 1, all shots, seed 1"


def test_runs_are_named_together(unit):
    units = [unit("NPT_CoOp", 1, 1, 1), unit("CoOp", 2, 1, 1, "dtd", 1.0)]
    units.append(unit("ZeroshotCLIP", 1, 1, 1))
    assert of_units(units) == "dtd, pets; tau 0.06, 1; 16 shots; seeds 1, 2"
    many = [unit("CoOp", 1, 1, 1, f"d{i}") for i in range(5)]
    assert of_units(many).startswith("5 datasets; ")
    assert trainers_of(units) == ["CoOp", "ZeroshotCLIP", "NPT_CoOp"]


def test_a_long_title_stays_inside_the_picture():
    figure, _ = new_figure(4, 3)
    heading(figure, "what " * 30, "of " * 40)
    figure.canvas.draw()
    box = figure._suptitle.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
