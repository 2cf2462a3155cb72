"""A Ray cluster on this machine whose nodes, one core each, come and go."""

from __future__ import annotations

import importlib.util
from typing import Any


def why_not() -> str:
    """Why no cluster can be started here; empty if one can."""
    return "" if importlib.util.find_spec("ray") else "ray is not installed (pip install ray)"


class RayCluster:
    """A head and as many further nodes as are added."""

    def __enter__(self) -> RayCluster:
        from ray.cluster_utils import Cluster

        quiet = {"include_dashboard": False, "object_store_memory": 100 * 2**20}
        self.quiet = {"object_store_memory": quiet["object_store_memory"]}
        self.cluster: Any = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0, **quiet}
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.shutdown()

    @property
    def address(self) -> str:
        """For ``--ray``."""
        return self.cluster.address

    def add(self) -> Any:
        """One more node; returns it."""
        return self.cluster.add_node(num_cpus=1, num_gpus=0, **self.quiet)

    def kill(self, node: Any) -> None:
        """The node is gone, with all that ran on it."""
        self.cluster.remove_node(node, allow_graceful=False)
