"""Zero-shot CLIP is run once a dataset and stands in every setting."""

from npt_plugin.report.averaging import MEAN_OF_H
from npt_plugin.report.protocols import BASE_TO_NEW, OPEN_WORLD
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place


def summary(output):
    return results_of(BASE_TO_NEW, find_runs(output)).summary


def of(rows, trainer):
    return {(r["dataset"], r["tau"], r["shots"]): r for r in rows if r["trainer"] == trainer}


def test_the_reference_stands_beside_the_trainers_of_every_setting(tmp_path, write_pair):
    write_pair("dtd", "ZeroshotCLIP", 3, 50.0, 60.0, ratio=1.0)
    for ratio in (0.06, 0.25):
        write_pair("dtd", "CoOp", 1, 70.0, 60.0, ratio=ratio)
    zero = of(summary(tmp_path), "ZeroshotCLIP")
    assert set(zero) == {("dtd", tau, 16) for tau in (1.0, 0.06, 0.25)}
    assert {row["base"] for row in zero.values()} == {50.0}
    # the groups are those of another setting's training counts
    assert zero["dtd", 1.0, 16]["many"] == 90.0 and zero["dtd", 0.06, 16]["many"] is None


def test_references_at_different_settings_have_an_average(tmp_path, write_pair):
    write_pair("dtd", "ZeroshotCLIP", 3, 50.0, 60.0, ratio=1.0)
    write_pair("eurosat", "ZeroshotCLIP", 1, 60.0, 40.0, ratio=0.25, shots=4)
    for dataset in ("dtd", "eurosat"):
        write_pair(dataset, "CoOp", 1, 70.0, 60.0, ratio=0.06)
    zero = of(summary(tmp_path), "ZeroshotCLIP")[MEAN_OF_H.name, 0.06, 16]
    assert zero["base"] == 55.0 and zero["n"] == 1


def test_a_reference_of_the_setting_itself_is_kept(runs):
    zero = of(summary(runs), "ZeroshotCLIP")
    assert list(zero) == [("oxford_pets", 0.06, 16)]
    assert zero["oxford_pets", 0.06, 16]["many"] == 90.0


def test_datasets_without_a_reference_are_left_alone(tmp_path, write_pair):
    write_pair("dtd", "ZeroshotCLIP", 1, 50.0, 60.0)
    write_pair("eurosat", "CoOp", 1, 50.0, 60.0)
    assert len(summary(tmp_path)) == 2


def test_another_backbone_has_no_reference_of_this_one(tmp_path, write_pair):
    write_pair("dtd", "ZeroshotCLIP", 1, 50.0, 60.0, ratio=1.0, backbone="ViT-B/16")
    write_pair("dtd", "CoOp", 1, 40.0, 60.0, ratio=0.06, backbone="RN50")
    made = results_of(BASE_TO_NEW, find_runs(tmp_path))
    assert set(of(made.summary, "ZeroshotCLIP")) == {("dtd", 1.0, 16)} and made.notes == []


def test_what_it_takes_is_weighed_by_the_training_counts_of_the_setting(tmp_path, write):
    together = {"pull": 100.0, "taken": [30.0, 10.0], "taken_many": 20.0, "joint": 50.0}
    for trainer, ratio, counts in (("ZeroshotCLIP", 1.0, [16, 16]), ("CoOp", 0.06, [16, 1])):
        place = ("dtd", 16, ratio, trainer, "cfg", 1)
        write(Place("base2new", "train_base", *place), 60.0, class_counts=counts)
        found = {"accuracy": 40.0, "macro_accuracy": 40.0, "open_world": together}
        write(Place("base2new", "test_new", *place), 40.0, metrics=found)
    made = results_of(OPEN_WORLD, find_runs(tmp_path))
    zero = of(made.summary, "ZeroshotCLIP")
    assert zero["dtd", 1.0, 16]["pull"] == 100.0
    assert zero["dtd", 0.06, 16]["pull"] == 100 * (30 * 16 + 10 * 1) / 40 / 8.5
    assert zero["dtd", 0.06, 16]["joint"] == 50.0
    (lent,) = [u for u in made.units if (u.key.trainer, u.key.ratio) == ("ZeroshotCLIP", 0.06)]
    assert lent.metrics("new")["open_world"]["taken_many"] is None
    assert lent.runs["base"].record.class_counts == [16, 1]
