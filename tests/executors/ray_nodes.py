"""A cluster of small simulated machines."""

import os
import socket
from contextlib import contextmanager

SMALL = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@contextmanager
def simulated(nodes):
    """As many machines with one CPU each, as fast as other processes of this one."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "300"}
    from ray.cluster_utils import Cluster

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    head = SMALL | {"include_dashboard": False, "ray_client_server_port": port}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.client = f"ray://127.0.0.1:{port}"
    try:
        for _ in range(nodes - 1):
            cluster.add_node(**SMALL)
        yield cluster
    finally:
        cluster.shutdown()
