"""The tables that there are: complete, or refused in one sentence."""

import pytest

from npt_plugin.errors import UserError
from npt_plugin.reproduction.tables import TABLES, read_tables, table_named
from npt_plugin.sweep.dataset_groups import GROUPS

NAMES = (
    *("cocoop-table2", "maple-base2new", "coop-fewshot", "cocoop-cross-dataset", "cocoop-domain"),
    *("npt-imbalanced", "lift-longtail", "imbalance-vlm"),
)


def test_all_that_are_asked_for_are_there():
    assert tuple(TABLES) == NAMES
    for name, table in TABLES.items():
        assert table.title and table.figures, name


def test_the_runs_are_those_of_the_protocols():
    grid = table_named("cocoop-table2").grid("/data", "out")
    assert tuple(grid.datasets) == GROUPS["fewshot11"] and grid.seeds == [1, 2, 3]
    jobs = grid.jobs()
    assert len(jobs) == 11 * (1 + 3 + 3)  # zero-shot CLIP once a dataset
    assert {job.config for job in jobs if job.trainer == "CoOp"} == {
        "vit_b16_ctxv1",
        "vit_b16_ep50_ctxv1",
    }
    assert len(table_named("npt-imbalanced").grid("", "out").jobs()) == 11 * 2 * 3 * 3
    (job, *_) = table_named("cocoop-domain").grid("", "out").jobs()
    assert (job.dataset, job.targets) == ("imagenet", GROUPS["imagenet_variants"])


def test_a_part_of_the_datasets_keeps_their_order():
    table = table_named("maple-base2new")
    assert table.grid("", "o", ["eurosat", "dtd"], [4]).datasets == ["dtd", "eurosat"]
    with pytest.raises(UserError, match="did you mean 'dtd'"):
        table.grid("", "o", ["dtdd"])


def test_a_table_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 'cocoop-table2'"):
        table_named("cocoop-tabel2")


def test_long_tailed_tables_have_one_run_a_dataset_with_its_preset():
    jobs = table_named("lift-longtail").grid("", "out").jobs()
    assert [(job.dataset, job.trainer, job.config) for job in jobs] == [
        *((f"cifar100_lt{ir}", "FineTune", "vit_b16_lift_ep10") for ir in ("", "_ir50", "_ir10")),
        *((name, "FineTune", "vit_b16_lift_ep10") for name in ("imagenet_lt", "places_lt")),
        ("inaturalist2018", "FineTune", "vit_b16_lift_ep20"),
    ]
    assert len(table_named("imbalance-vlm").grid("", "out").jobs()) == 2


def test_a_file_of_tables_is_read():
    (table,) = read_tables(
        "tables: {a: {title: T, datasets: [fewshot10], ratios: [0.5], spread: {base: 1}}}"
    ).values()
    assert (table.name, table.ratios, len(table.datasets)) == ("a", (0.5,), 10)
