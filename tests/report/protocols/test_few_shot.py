"""A column for every number of shots, a row a trainer."""

from npt_plugin.report.protocols.few_shot import FewShot
from npt_plugin.report.results import results_of
from npt_plugin.runs.collect import find_runs
from npt_plugin.runs.layout import Place

TABLE = FewShot()


def results(output):
    return results_of(TABLE, find_runs(output))


def test_few_shot_has_a_column_for_every_number_of_shots(tmp_path, write):
    for dataset, plus in (("dtd", 0.0), ("eurosat", 10.0)):
        for shots in (16, 1, 4):
            for seed in (1, 2):
                place = Place("few_shot", "", dataset, shots, 1.0, "CoOp", "cfg", seed)
                write(place, 40.0 + shots + seed + plus)
    made = results(tmp_path)
    assert made.columns == ("1 shot", "4 shots", "16 shots")
    dtd, eurosat, average = made.summary
    assert [dtd[c] for c in made.columns] == [42.5, 45.5, 57.5]
    assert [average[c] for c in made.columns] == [47.5, 50.5, 62.5]
    assert average["dataset"] == "average" and average["over"] == ["dtd", "eurosat"]
    assert "shots" not in dtd


def test_a_config_of_its_own_for_each_number_of_shots_is_one_row(tmp_path, write):
    """CoOp trains 50 epochs on one shot, 200 on sixteen."""
    for trainer in ("CoOp", "NPT_CoOp"):
        for shots, config in ((1, "vit_b16_ep50"), (16, "vit_b16")):
            if (trainer, shots) != ("NPT_CoOp", 1):
                write(Place("few_shot", "", "dtd", shots, 1.0, trainer, config, 1), 40.0 + shots)
    made = results(tmp_path)
    assert [[row[c] for c in made.columns] for row in made.summary] == [[41.0, 56.0], [None, 56.0]]
    assert made.differences[0]["16 shots"] == 0.0
    write(Place("few_shot", "", "dtd", 1, 1.0, "CoOp", "vit_b16", 1), 44.0)  # two at one shot
    found = {row["config"]: row["1 shot"] for row in results(tmp_path).summary[:2]}
    assert found == {"vit_b16_ep50": 41.0, "vit_b16": 44.0}


def test_zero_shot_has_one_accuracy_for_any_shots(tmp_path, write):
    write(Place("few_shot", "", "dtd", 16, 1.0, "ZeroshotCLIP", "vit_b16", 1), 44.0)
    for shots in (1, 4):
        write(Place("few_shot", "", "dtd", shots, 0.06, "CoOp", "cfg", 1), 50.0)
    made = results(tmp_path)
    zero = [r for r in made.summary if r["trainer"] == "ZeroshotCLIP"]
    assert {r["tau"] for r in zero} == {1.0, 0.06}
    assert all(r[c] == 44.0 for r in zero for c in made.columns)
