"""Which jobs a sweep has."""

import pytest
from run_records import record

from npt_plugin.errors import UserError
from npt_plugin.runs.record import write_record
from npt_plugin.sweep.grid import Grid


def test_every_trainer_gets_its_own_published_config():
    jobs = Grid(["dtd"], ["ZeroshotCLIP", "CoOp", "NPT_CoCoOp", "MaPLe"], [1], [1.0]).jobs()
    assert {job.trainer: job.config for job in jobs} == {
        "ZeroshotCLIP": "vit_b16",
        "CoOp": "vit_b16_ctxv1",
        "NPT_CoCoOp": "vit_b16_c4_ep10_batch1_ctxv1",
        "MaPLe": "vit_b16_c2_ep5_batch4_2ctx",
    }
    (job,) = Grid(["dtd"], ["MaPLe"], [1], [1.0], config="mine").jobs()
    assert job.config == "mine"


def test_zero_shot_runs_once_a_dataset_whatever_the_seeds_and_ratios():
    jobs = Grid(["dtd", "eurosat"], ["ZeroshotCLIP", "CoOp"], [4, 5], [0.06, 1.0]).jobs()
    reference = [job for job in jobs if job.trainer == "ZeroshotCLIP"]
    assert [(j.dataset, j.seed, j.ratio) for j in reference] == [
        ("dtd", 4, 0.06),
        ("eurosat", 4, 0.06),
    ]
    assert len([job for job in jobs if job.trainer == "CoOp"]) == 2 * 2 * 2


def test_a_zero_shot_run_of_any_ratio_is_taken(tmp_path):
    asked = Grid(["dtd"], ["ZeroshotCLIP"], [1], [0.06], output=str(tmp_path))
    (before,) = Grid(["dtd"], ["ZeroshotCLIP"], [3], [1.0], shots=4, output=str(tmp_path)).jobs()
    write_record(before.folder("train"), record())
    assert asked.jobs() != [before]  # only one half is there
    write_record(before.folder("new"), record())
    assert asked.jobs() == [before]


def test_a_transfer_trains_on_the_source_and_tests_on_every_dataset():
    (job,) = Grid(["dtd", "eurosat"], ["CoOp"], [1], [1.0], protocol="xd").jobs()
    assert job.dataset == "imagenet" and job.config == "vit_b16_ep50_ctxv1"
    places = [step.place for step in job.steps()]
    assert [(p.part, p.dataset, p.source) for p in places] == [
        ("train", "imagenet", "imagenet"),
        ("test_from_imagenet", "dtd", "imagenet"),
        ("test_from_imagenet", "eurosat", "imagenet"),
    ]
    (job,) = Grid([], ["CoOp"], [1], [1.0], protocol="dg").jobs()
    assert [step.dataset for step in job.steps()][1:] == [
        "imagenetv2",
        "imagenet_sketch",
        "imagenet_a",
        "imagenet_r",
    ]


def test_variants_of_a_trainer_lie_beside_each_other():
    jobs = Grid(["dtd"], ["CoOp", "CoOp:loss=ldam"], [1], [1.0]).jobs()
    plain, variant = (job.folder() for job in jobs)
    assert plain.parts[-2] == "vit_b16_ctxv1"
    assert variant.parts[-2] == "vit_b16_ctxv1+TRAINER.IMBALANCE_LOSS.NAME=ldam"
    assert plain.parent.parent == variant.parent.parent
    assert jobs[1].name == "dtd CoOp:loss=ldam tau 1 seed 1"


def test_the_configs_of_a_few_shot_curve_follow_its_shots():
    jobs = Grid(["dtd"], ["CoOp"], [1], [1.0], shots=[1, 4, 16], protocol="few_shot").jobs()
    assert [(job.shots, job.config) for job in jobs] == [
        (1, "vit_b16_ep50"),
        (4, "vit_b16_ep100"),
        (16, "vit_b16"),
    ]


def test_a_protocol_without_ratios_refuses_several():
    with pytest.raises(UserError, match="one ratio"):
        Grid(["cifar100_lt"], ["CoOp"], [1], [1.0, 0.1], protocol="long_tail").jobs()
