"""A worker's runs are runs by hand, bit for bit, whatever ran before; and how its claims end."""

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from npt_plugin.runs.layout import RESULTS
from npt_plugin.sweep import worker as worker_module
from npt_plugin.sweep.attempts import DONE, FAILED
from npt_plugin.sweep.claims import DIED, WAITING, Claims
from npt_plugin.sweep.job import Job
from npt_plugin.sweep.plan import Plan
from npt_plugin.sweep.runner import Outcome
from npt_plugin.sweep.worker import forget_shared, serve

ONE = ("OPTIM.MAX_EPOCH", "1")
WRONG = ("TRAINER.COOP.CLASS_TOKEN_POSITION", "nowhere")
VIEWS = ("INPUT.CACHED_VIEWS", "2", "DATALOADER.TRAIN_X.BATCH_SIZE", "4")
TRAINERS = {
    "CoOp": VIEWS,
    "NPT_CoOp": VIEWS,
    "IVLP": ("TRAINER.IVLP.PROMPT_DEPTH_VISION", "2", "TRAINER.IVLP.PROMPT_DEPTH_TEXT", "2"),
    "VPT": ("TRAINER.VPT.PROMPT_DEPTH_VISION", "2"),
    "GNM_PT": (),
    "Decoder": (),
    "LinearProbe": ("TRAINER.HEAD.NAME", "linear"),
    "FineTune": (
        *("TRAINER.FINE_TUNE.METHOD", "lora", "TRAINER.FINE_TUNE.TOWERS", "both"),
        *("TRAINER.HEAD.NAME", "text"),
    ),
}
HEADED = ("GNM_PT", "Decoder", "LinearProbe")  # their heads know the classes they learned

VANDAL = """
import npt_plugin.trainers as trainers

class Vandal(trainers.BASE_TRAINERS["CoOp"]):
    def after_train(self):
        super().after_train()
        import gc, random, sys, warnings
        import numpy, torch
        from npt_plugin.backbone import kept, loading
        from npt_plugin.engine.framework import TRAINER_REGISTRY
        torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)
        torch.set_num_threads(3); torch.backends.mkldnn.enabled = False
        torch.set_flush_denormal(True); torch.use_deterministic_algorithms(True)
        torch.nn.functional.linear = None; torch.Tensor.softmax = None
        numpy.random.seed(1); random.seed(1); torch.manual_seed(1)
        loading.tokenizer.cache_clear(); TRAINER_REGISTRY._objects.clear()
        with torch.no_grad():
            for module in gc.get_objects():
                if isinstance(module, torch.nn.Module):
                    for tensor in module.parameters():
                        tensor.data.zero_()
        sys.stdout = None; warnings.simplefilter("error")

trainers.BASE_TRAINERS["Vandal"] = Vandal
"""


@pytest.fixture
def jobs(tree, pets_root, tmp_path):
    """Jobs of all kinds on the miniature pets: towers that are touched, bf16, one that fails."""
    common = {"seed": 1, "ratio": 0.5, "shots": 2, "root": str(pets_root)}

    def job(trainer, *options, protocol="base2new"):
        place = {"output": str(tmp_path / "out"), "protocol": protocol}
        return Job(
            "pets", trainer, "small", options=("OPTIM.MAX_EPOCH", "1", *options), **common, **place
        )

    for trainer in ("IVLP", "VPT", *HEADED, "FineTune", "Vandal"):
        text = (tree / "trainers" / "CoOp" / "small.yaml").read_text()
        (tree / "trainers" / trainer).mkdir()
        (tree / "trainers" / trainer / "small.yaml").write_text(text)
    made = [
        job(name, *options, protocol="few_shot" if name in HEADED else "base2new")
        for name, options in TRAINERS.items()
    ]
    coop = made[0]
    for seed, options in {2: (), 3: ("TRAINER.COOP.PREC", "bf16"), 4: WRONG}.items():
        made.append(replace(coop, seed=seed, options=(*coop.options, *options)))
    return [*made, job("Vandal", protocol="few_shot")]


def plan_of(jobs, tree, output):
    return Plan.of([replace(job, output=str(output)) for job in jobs], tree)


@pytest.fixture
def environment(tmp_path):
    """Of processes that know one more trainer, and compute with one thread."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(VANDAL)
    paths = [str(tmp_path / "site"), *(part for part in sys.path if part)]
    return {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def served(plan, environment):
    claims = Claims(plan.output)
    serve(plan, claims, lambda: False, environment=environment)
    return {(job.trainer, job.seed): claims.state(job) for job in plan.jobs}


def results(output):
    """Everything below a run's folder that says what it computed."""
    found = {}
    for file in sorted(Path(output).rglob(RESULTS)):
        record = json.loads(file.read_text())
        for key in ("seconds", "peak_memory", "working_dir", "model_dir", "reason"):
            record.pop(key, None)
        record["config"]["OUTPUT_DIR"] = ""
        place = str(file.parent.relative_to(output))
        found[place] = record
        for saved in sorted(file.parent.rglob("model.pth.tar-*")):
            state = torch.load(saved, weights_only=True)["state_dict"]
            found[f"{place}/{saved.name}"] = {
                k: (str(v.dtype), v.tolist()) for k, v in state.items()
            }
    return found


def by_hand(job, environment, configs):
    """``npt protocol`` in a process of its own."""
    words = ["protocol", job.protocol, "--dataset", job.dataset, "--trainer", job.trainer]
    words += ["--config", job.config, "--configs", str(configs), "--seed", str(job.seed)]
    words += ["--ratio", str(job.ratio), "--shots", str(job.shots), "--root", job.root]
    words += ["--output", job.output, "--opts", *job.options]
    subprocess.run(
        [sys.executable, "-m", "npt_plugin", *words],
        env={**os.environ, **environment},
        capture_output=True,
    )


def in_three_orders(jobs, tree, tmp_path, environment):
    """What the jobs give in each order, and the failures."""
    found, failed = [], {}
    mixed = random.Random(5).sample(jobs, len(jobs))
    for number, order in enumerate((jobs, jobs[::-1], mixed)):
        plan = plan_of(order, tree, tmp_path / str(number))
        states = served(plan, environment)
        failed = {key: state.attempt.reason for key, state in states.items() if state.name != DONE}
        assert failed.keys() == {("CoOp", 4), ("Vandal", 1)}, failed
        found.append(results(plan.output))
    assert found[0] == found[1] == found[2]
    return found[0], failed["CoOp", 4]


def test_a_grid_in_three_orders_gives_the_same_bits(jobs, tree, tmp_path, environment):
    few = [job for job in jobs if job.trainer in ("CoOp", "IVLP", "Vandal")]
    found, reason = in_three_orders(few, tree, tmp_path, environment)
    assert len(found) > 2 * len(few)
    assert "CLASS_TOKEN_POSITION" in reason and "(exit 2, log in" in reason


@pytest.mark.long
def test_every_run_of_the_whole_grid_is_the_run_by_hand(jobs, tree, tmp_path, environment):
    found, _ = in_three_orders(jobs, tree, tmp_path, environment)
    for job in jobs:
        by_hand(replace(job, output=str(tmp_path / "alone")), environment, tree)
    alone = results(tmp_path / "alone")
    assert found == alone and len(found) > 2 * len(jobs)


def test_runs_that_train_in_one_pass_are_the_same_to_rounding(jobs, tree, tmp_path, environment):
    coop, npt = jobs[:2]
    pair = [coop, npt, replace(coop, seed=2), jobs[2]]  # IVLP trains alone
    apart = plan_of(pair, tree, tmp_path / "apart")
    joined = replace(plan_of(pair, tree, tmp_path / "joined"), together=1)
    for plan in (apart, joined):
        assert {state.name for state in served(plan, environment).values()} == {DONE}
    found, expected = results(joined.output), results(apart.output)
    assert found.keys() == expected.keys()
    moved = set()
    for place, states in expected.items():
        for name, (dtype, value) in states.items() if "model.pth" in place else ():
            one, other = torch.tensor(value), torch.tensor(found[place][name][1])
            assert found[place][name][0] == dtype and torch.allclose(one, other, atol=1e-5)
            moved |= {place} if not torch.equal(one, other) else set()
    assert all("IVLP" not in place for place in moved)
    logs = [(job.folder() / "log.txt").read_text() for job in joined.jobs]
    assert all("Finish training" in log for log in logs)
    tests = [place for place in found if "test_new" in place and "CoOp" in place]
    assert len(tests) == 3  # done in the pass, and the same alone to the bit
    for place in tests:
        shutil.rmtree(joined.output / place)
    for job in joined.jobs[:3]:
        by_hand(job, environment, tree)
    assert {place: results(joined.output)[place] for place in tests} == {
        place: found[place] for place in tests
    }


@pytest.fixture
def alike(tree, pets_root, tmp_path):
    """Jobs that can train in one pass, of which one diverges, and one that cannot."""
    common = {"ratio": 0.5, "shots": 2, "root": str(pets_root), "output": str(tmp_path / "out")}

    def job(trainer, seed, *options):
        options = ("OPTIM.MAX_EPOCH", "2", *VIEWS, *options)
        return Job("pets", trainer, "small", seed, options=options, **common)

    diverges, other = ("OPTIM.LR", "1e30"), ("TRAINER.COOP.N_CTX", "3")
    return [
        job("CoOp", 1),
        job("CoOp", 2),
        job("NPT_CoOp", 1),
        job("NPT_CoOp", 2, *diverges),
        job("CoOp", 3, *other),
    ]


def stacked(job):
    """How many passed the tower with its training."""
    return json.loads((job.folder() / RESULTS).read_text()).get("stacked")


def test_jobs_of_a_group_train_in_one_pass_and_end_each_by_itself(
    alike, tree, tmp_path, environment, monkeypatch
):
    plan = replace(plan_of(alike, tree, tmp_path / "out"), together=1)
    begun, run = [], worker_module.Runner.run
    monkeypatch.setattr(
        worker_module.Runner,
        "run",
        lambda runner, task, stop: (begun.append(task), run(runner, task, stop))[1],
    )
    states = served(plan, environment)
    assert [state.name for state in states.values()] == [DONE, DONE, DONE, FAILED, DONE]
    # a process for all four and their tests, another try of what failed, two of who goes alone
    assert [(task.job.seed, task.number, len(task.companions)) for task in begun] == [
        *((1, 0, 3), (2, 0, 0), (3, 0, 0), (3, 1, 0))
    ]
    assert "is nan" in states["NPT_CoOp", 2].attempt.reason
    assert [stacked(job) for job in plan.jobs[:3]] == [4, 4, 4]
    assert stacked(plan.jobs[4]) is None
    assert all(job.done() for job in plan.jobs[:3])  # their tests on new classes too


KILLER = """
import os
import npt_plugin.sweep.together as together

together.perform_together = lambda requests: os.kill(os.getpid(), 9)
"""


def test_a_group_whose_process_dies_costs_no_job_its_life(alike, tree, tmp_path, environment):
    (tmp_path / "site" / "sitecustomize.py").write_text(KILLER)
    plan = replace(plan_of(alike[:2], tree, tmp_path / "out"), together=1)
    states = served(plan, environment)
    assert [(state.name, state.deaths) for state in states.values()] == [(DONE, 0)] * 2
    assert [stacked(job) for job in plan.jobs] == [None, None]


# -- played runs ----------------------------------------------------------------------------------


@pytest.fixture
def play(tmp_path, monkeypatch):
    """``play(outcomes)``: a worker over three jobs whose runs end like this, in turn."""

    def make(*states, count=3, stop=lambda: False, together=0):
        done, ends = [], iter(states)

        class Played:
            def __init__(self, environment):
                pass

            def run(self, task, asked):
                more = tuple(job.seed for job in task.companions)
                done.append((task.job.seed, task.number, *more))
                state = next(ends, "done")
                return Outcome(state, "said", -9 if state == "died" else 0)

            def close(self):
                pass

        monkeypatch.setattr(worker_module, "Runner", Played)
        jobs = [Job("dtd", "CoOp", "cfg", seed, output=str(tmp_path)) for seed in range(count)]
        plan = Plan.of(jobs, tmp_path, together)
        monkeypatch.setattr(worker_module, "groups", lambda jobs, configs, workers: [list(jobs)])
        claims = Claims(plan.output)
        serve(plan, claims, stop)
        return done, [claims.state(job) for job in plan.jobs], plan

    return make


def test_the_runs_of_a_job_are_done_in_order_and_a_failure_ends_it(play):
    done, states, _ = play("done", "done", "failed")
    assert done == [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1)]
    assert [state.name for state in states] == [DONE, FAILED, DONE]
    assert states[1].attempt.reason.startswith("said (exit 0, log in ")


def test_a_job_that_died_is_taken_again_and_left_after_two_deaths(play):
    done, states, _ = play("died", "done", "done", "died", "died", count=2)
    assert done == [(0, 0), (0, 0), (0, 1), (1, 0), (1, 0)]
    assert states[0].name == DONE and states[0].deaths == 1
    assert states[1].name == DIED and states[1].deaths == 2
    assert "ended by SIGKILL, log in" in states[1].attempt.reason


def test_a_stop_gives_the_job_back_and_starts_nothing_new(play):
    asked = iter([False, False, True])
    done, states, _ = play("stopped", stop=lambda: next(asked, True))
    assert done == [(0, 0)] and [state.name for state in states] == [WAITING] * 3


def test_companions_train_first_and_each_is_finished_alone(play):
    done, states, _ = play("done", "done", "done", "failed", together=1)
    assert done == [(0, 0, 1, 2), (0, 0), (0, 1), (1, 0), (2, 0), (2, 1)]
    assert [state.name for state in states] == [DONE, FAILED, DONE]


def test_a_pass_that_dies_is_no_death_of_its_jobs(play):
    done, states, _ = play("died", together=1)
    assert done[0] == (0, 0, 1, 2) and len(done) == 7
    assert [(state.name, state.deaths) for state in states] == [(DONE, 0)] * 3


def pairs_of(seeds, output):
    """CoOp and NPT_CoOp of each seed: kin."""
    names = [(seed, trainer) for seed in seeds for trainer in ("CoOp", "NPT_CoOp")]
    return [Job("dtd", trainer, "cfg", seed, output=str(output)) for seed, trainer in names]


def taken(claim):
    return claim.job.seed, claim.job.trainer


def test_kin_come_together_and_workers_keep_out_of_each_other_s_way(tmp_path):
    plan, claims = Plan.of(pairs_of(range(1, 6), tmp_path), tmp_path), Claims(tmp_path)
    first, _ = worker_module._next(plan, claims, None, {})
    other, _ = worker_module._next(plan, claims, None, {})
    assert (taken(first), taken(other)) == ((1, "CoOp"), (2, "CoOp"))
    again, _ = worker_module._next(plan, claims, worker_module._kin(other.job), {})
    assert taken(again) == (2, "NPT_CoOp")
    for claim in (first, other, again):
        claim.done()


def test_of_the_last_jobs_those_begin_whose_images_nobody_has_encoded(tmp_path):
    plan, claims = Plan.of(pairs_of((1, 2, 3), tmp_path), tmp_path), Claims(tmp_path)
    first, _ = worker_module._next(plan, claims, None, {})
    other, _ = worker_module._next(plan, claims, None, {})
    first.done()
    third, _ = worker_module._next(plan, claims, worker_module._kin(first.job), {})
    assert taken(third) == (3, "CoOp")
    other.done()
    then, _ = worker_module._next(plan, claims, worker_module._kin(other.job), {})
    assert taken(then) == (2, "NPT_CoOp")  # none is new: what it has just done
    for claim in (third, then):
        claim.done()


def test_a_worker_leaves_a_group_to_who_is_taking_it(tmp_path):
    jobs = pairs_of((1, 2, 3), tmp_path)
    plan, claims = Plan.of(jobs, tmp_path), Claims(tmp_path)
    halves = (jobs[:3], jobs[3:])
    companions = {job: [x for x in half if x != job] for half in halves for job in half}
    first, _ = worker_module._next(plan, claims, None, companions)
    other, _ = worker_module._next(plan, claims, None, companions)
    assert (first.job, other.job) == (jobs[0], jobs[3])  # none has its companions yet
    third, _ = worker_module._next(plan, claims, None, companions)
    assert third.job == jobs[4]  # no group is left: better one of a group than none
    for claim in (first, other, third):
        claim.done()


def test_who_was_second_looks_again_at_what_is_best(tmp_path):
    jobs = pairs_of((1, 2), tmp_path)
    plan, others = Plan.of(jobs, tmp_path), Claims(tmp_path)
    companions = {job: [other for other in jobs[:3] if other != job] for job in jobs[:3]}

    class Second(Claims):
        def take(self, job):
            if job == jobs[0]:
                held.append(others.take(job))
            return super().take(job)

    held = []
    claim, _ = worker_module._next(plan, Second(tmp_path), None, companions)
    assert claim.job == jobs[3] and len(held) == 1  # the first three are a group
    for one in (claim, *held):
        one.done()


def test_an_idle_worker_lingers_for_what_others_have(tmp_path, monkeypatch):
    plan = Plan.of([Job("dtd", "CoOp", "cfg", 1, output=str(tmp_path))], tmp_path)
    claim, pauses = Claims(tmp_path).take(plan.jobs[0]), []

    def wait(seconds, stop):
        pauses.append(seconds)
        if len(pauses) == 3:
            claim.done()
        return seconds

    monkeypatch.setattr(worker_module, "_wait", wait)
    serve(plan, Claims(tmp_path), lambda: False, linger=100.0)
    assert len(pauses) == 3
    pauses.clear()
    Claims(tmp_path).forgive(plan.jobs)
    claim = Claims(tmp_path).take(plan.jobs[0])
    serve(plan, Claims(tmp_path), lambda: False)
    assert not pauses
    claim.release()


@pytest.mark.parametrize(("look", "pause"), [(0.001, 0.1), (0.05, 1.0), (30.0, 5.0)])
def test_looks_that_take_long_are_rare(tmp_path, monkeypatch, look, pause):
    plan, now, pauses = Plan.of([Job("dtd", "CoOp", "cfg", 1)], tmp_path), [0.0], []

    def slow(*_):
        now[0] += look
        return None, True

    def wait(seconds, stop):
        pauses.append(seconds)
        return seconds

    monkeypatch.setattr(worker_module, "_next", slow)
    monkeypatch.setattr(worker_module, "_wait", wait)
    monkeypatch.setattr(worker_module.time, "monotonic", lambda: now[0])
    serve(plan, Claims(tmp_path), lambda: False, linger=2.5 * pause)
    assert pauses == pytest.approx([pause] * 3)


def test_who_waits_hears_a_stop(monkeypatch):
    slept = []
    monkeypatch.setattr(worker_module.time, "sleep", slept.append)
    assert worker_module._wait(60.0, lambda: len(slept) == 2) == 60.0 and slept == [0.1, 0.1]
    assert worker_module._wait(0.0, lambda: False) == 0.0 and len(slept) == 2


def test_what_was_shared_goes_when_all_is_done(play):
    _, _, plan = play("done", "done", "failed")
    shared = plan.output / ".sweep" / "shared"
    shared.mkdir(parents=True)
    forget_shared(plan)
    assert shared.exists()
    claims = Claims(plan.output)
    claims.forgive([plan.jobs[1]])
    claims.take(plan.jobs[1]).done()
    forget_shared(plan)
    assert not shared.exists()
