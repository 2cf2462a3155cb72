"""A real Ray cluster whose nodes come and go: the table is the local engine's."""

from __future__ import annotations

import pytest
from cluster_sweep import wait_until
from ray_cluster import RayCluster, why_not

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(bool(why_not()), reason=f"Ray: {why_not()}")]


def test_killed_actors_nodes_and_driver(sweep, reference):
    with RayCluster() as cluster:
        first = cluster.add()
        flags = ["--engine", "ray", "--ray", cluster.address]
        driver = sweep.start(*flags)
        wait_until(lambda: sweep.counts()[0] >= 2, 90, sweep.counts)
        sweep.kill_worker()  # an actor
        wait_until(sweep.healed, 60, sweep.counts)

        hit = list(sweep.running())
        driver.kill()  # the submitting process, and with it its actors
        driver.communicate()
        assert sweep.counts()[1] > 0
        driver = sweep.start(*flags)
        wait_until(lambda: sweep.healed() and all(job.done() for job in hit), 90, sweep.counts)

        assert sweep.counts()[1] > 0
        cluster.kill(first)
        cluster.add()
        said, _ = driver.communicate(timeout=200)
        assert driver.returncode == 0, said
        assert "[24/24] " in said
    assert "24 runs: 24 done" in sweep.run("--status")
    sweep.check(reference)
