"""Which jobs can train in one pass."""

from npt_plugin.sweep.grid import Grid
from npt_plugin.sweep.groups import groups
from npt_plugin.sweep.job import Job


def test_seeds_and_terms_go_together_datasets_and_step_counts_do_not(tree):
    def job(trainer, seed, ratio=1.0, *options):
        return Job("pets", trainer, "small", seed, ratio, options=options)

    first = [job("CoOp", 1), job("NPT_CoOp", 1), job("ZeroshotCLIP", 1), job("CoOp", 2)]
    weight = ("TRAINER.NPT.LAMBDA_LC", "0.5")
    first += [job("NPT_CoOp", 2, 1.0, *weight), job("CoOp", 1, 0.5), job("CoOp", 2, 0.5)]
    longer, shape = ("TRAIN.STEPS", "9"), ("TRAINER.COOP.N_CTX", "5")
    looks_twice, half = ("OPTIM.SAM.ENABLED", "True"), ("TRAINER.COOP.PREC", "bf16")
    odd = [job("CoOp", 3, 1.0, *options) for options in (longer, shape, looks_twice, half)]
    found = groups([*first, *odd], tree)
    alike = [first[0], first[1], first[3], first[4]]
    assert found == [alike, [first[2]], first[5:], *([one] for one in odd)]
    steps = [job("CoOp", 3, ratio, *longer) for ratio in (1.0, 0.5)]
    assert groups(steps, tree) == [steps]


def test_no_group_is_larger_than_asked(tree):
    jobs = [Job("pets", "CoOp", "small", seed) for seed in range(7)]
    assert groups(jobs, tree, most=3) == [jobs[:2], jobs[2:4], jobs[4:]]
    assert groups(jobs, tree, most=1) == [[job] for job in jobs]


def test_a_group_is_divided_so_that_no_worker_is_idle(tree):
    jobs = [Job("pets", "CoOp", "small", seed) for seed in range(7)]
    half = [Job("pets", "CoOp", "small", seed, 0.5) for seed in range(20)]
    sizes = lambda *given: [len(some) for some in groups(*given)]  # noqa: E731
    assert groups(jobs, tree, 2) == [jobs[:3], jobs[3:]]
    assert groups(jobs, tree, 5) == [jobs[:3], jobs[3:]]  # three or more to a group
    assert groups(jobs[:5], tree, 2) == [jobs[:5]]
    assert sizes([*jobs, *half], tree, 1) == [7, 10, 10]
    assert sizes([*jobs, *half], tree, 2) == [7, 10, 10]
    assert sizes([*half, *jobs], tree, 2) == [10, 10, 3, 4]
    assert sizes([*half, *jobs], tree, 4) == [6, 7, 7, 3, 4]
    assert sizes([*jobs, *half], tree, 50) == [3, 4, 3, 3, 4, 3, 3, 4]


def test_the_last_of_many_alike_groups_are_small(tree):
    ratios = (1.0, 0.5, 0.25, 0.125)
    jobs = [Job("pets", "CoOp", "small", seed, ratio) for ratio in ratios for seed in range(12)]
    assert [len(some) for some in groups(jobs, tree, 2)] == [12, 12, 12, 6, 6]
    assert [len(some) for some in groups(jobs, tree, 4)] == [12, 6, 6, 6, 6, 3, 3, 3, 3]


def test_of_the_published_methods_those_with_a_frozen_image_side_go_together(tmp_path):
    from npt_plugin.runs.configs import configs_folder

    names = ["CoOp", "NPT_CoOp", "CoCoOp", "NPT_CoCoOp", "MaPLe", "NPT_MaPLe", "VPT"]
    jobs = Grid(["dtd"], names, [1, 2], [1.0], output=str(tmp_path)).jobs()
    sizes = {some[0].trainer: len(some) for some in groups(jobs, configs_folder())}
    assert sizes == {"CoOp": 4, "CoCoOp": 4, "MaPLe": 1, "NPT_MaPLe": 1, "VPT": 1}
