"""A real Slurm cluster of two nodes: whatever ends badly, the table is the local engine's."""

from __future__ import annotations

import re

import pytest
from cluster_sweep import told_to_end, wait_until
from slurm_cluster import SlurmCluster, why_not

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(why_not()), reason=f"Slurm: {why_not()}"),
]


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("submitit")
    with SlurmCluster(tmp_path / "slurm") as found:
        yield found


def flags(*options):
    words = ["--engine", "slurm", "--array-parallelism", "2"]
    return [*words, "--slurm", "partition=low", "mem=500M", *options]


def submit(sweep, cluster, *options):
    said = sweep.run(*flags(*options), env=cluster.env)
    return re.search(r"Submitted Slurm job (\d+): 2 tasks", said)[1]


def restarts(cluster, job):
    said = cluster.call("scontrol", "show", "job", job)
    return sum(int(count) for count in re.findall(r"Restarts=(\d+)", said))


def test_killed_workers_and_nodes_preemption_and_a_killed_submitter(sweep, cluster, reference):
    def where():
        return sweep.counts(), cluster.states()

    follower = sweep.start(*flags("time=0:30:00"), "--follow", env=cluster.env)
    wait_until(lambda: sweep.counts()[0] >= 1, 90, where)
    follower.kill()  # what was submitted goes on
    follower.communicate()

    cluster.call("srun", "-p", "high", "-w", "one", "-n", "1", "true")  # waits for its place
    assert restarts(cluster, "1") >= 1
    done = sweep.counts()[0]
    wait_until(lambda: sweep.counts()[0] >= done + 2 and sweep.healed(), 60, where)

    sweep.kill_worker()  # its task has failed and is gone
    with sweep.held():
        wait_until(lambda: "FAILED" in cluster.states().values(), 60, where)
    wait_until(sweep.healed, 60, where)

    with sweep.held():
        submit(sweep, cluster, "time=30")  # the same command: two more tasks on the same runs
        wait_until(lambda: len(set(sweep.running().values())) >= 2, 60, where)
        cluster.kill_node("two")
    cluster.start_node("two")

    wait_until(lambda: sweep.counts()[1] == 0, 120, where)
    assert "24 runs: 24 done" in sweep.run("--status")
    sweep.check(reference)


def test_a_time_limit_strikes_and_the_tasks_go_on_after_it(sweep, cluster, reference):
    """Of a minute; Slurm warns 15 to 45 s after the start, when a fast machine would be ready."""
    job = submit(sweep, cluster, "time=1")
    wait_until(sweep.running, 90, cluster.states)
    with sweep.held() as held:  # a machine so slow that no run has begun goes on without it
        wait_until(
            lambda: any(map(told_to_end, list(held))) or restarts(cluster, job), 90, cluster.states
        )
    wait_until(lambda: restarts(cluster, job), 60, cluster.states)
    # once is enough; a task that has ended by now needs no other limit, and Slurm says so
    cluster.call("scontrol", "update", f"JobId={job}", "TimeLimit=30", check=False)
    wait_until(lambda: sweep.counts()[1] == 0, 150, lambda: (sweep.counts(), cluster.states()))
    sweep.check(reference)
