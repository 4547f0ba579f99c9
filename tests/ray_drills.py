"""Faults on Ray, each in a process of its own: ``python -m ray_drills NAME FOLDER`` prints what came of it as JSON."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import executor_tasks as tasks
from executor_checks import gather, until
from flipforge.executors import make_executor
from flipforge.search import Failure

LONG = 300.0


def process_of(folder: Path, key: int) -> int:
    """Return the process that runs a task of `nap_the_first_time`."""
    until(lambda: any(folder.glob(f"{key}-*")))
    (mark,) = folder.glob(f"{key}-*")
    return int(mark.name.partition("-")[2])


def runs(folder: Path) -> dict[str, int]:
    """Return how often each task ran."""
    marks = [path.name.partition("-")[0] for path in folder.iterdir()]
    return {key: marks.count(key) for key in sorted(set(marks))}


def killed_worker(folder: Path) -> Any:
    executor = make_executor("ray", workers=2)
    for key in range(6):
        executor.submit(key, tasks.nap_the_first_time, str(folder), key, LONG if key == 0 else 0.2)
    os.kill(process_of(folder, 0), signal.SIGKILL)
    answers = gather(executor, 6)
    executor.close()
    return {"answers": sorted(answers.items()), "runs": runs(folder)}


def poison(folder: Path) -> Any:
    executor = make_executor("ray", workers=2)
    for key in range(6):
        executor.submit(key, tasks.die if key == 3 else tasks.square, str(folder) if key == 3 else key)
    answers = gather(executor, 6)
    executor.close()
    given_up = answers.pop(3)
    return {
        "error": given_up.error if isinstance(given_up, Failure) else None,
        "answers": sorted(answers.items()),
        "runs": runs(folder),
    }


def failed_warm_up(folder: Path) -> Any:
    executor = make_executor("ray", workers=1, warm=tasks.cold)
    executor.submit(1, tasks.square, 1)
    try:
        gather(executor, 1)
    except Exception as error:
        return [type(error).__name__, str(error)]
    finally:
        executor.close()
    return None


def lost_node(folder: Path) -> Any:
    import ray
    from ray.cluster_utils import Cluster

    logging.getLogger("ray").setLevel(logging.ERROR)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 2**27})
    second = cluster.add_node(num_cpus=1, object_store_memory=2**27)
    executor = make_executor("ray", workers=2, address=cluster.address)
    for key in range(6):
        executor.submit(key, tasks.nap_the_first_time, str(folder), key, LONG if key < 2 else 0.2)
    # Tasks 0 and 1 occupy a node each; the one on the second node is found by its process's parent.
    on_second = {p.process.pid for p in second.all_processes["raylet"]}
    (lost,) = (key for key in (0, 1) if parent(process_of(folder, key)) in on_second)
    cluster.remove_node(second, allow_graceful=False)
    # The other is freed as well, else nothing could run on the node that is left.
    os.kill(process_of(folder, 1 - lost), signal.SIGKILL)
    answers = gather(executor, 6)
    nodes: Callable[[], list[dict[str, Any]]] = ray.nodes
    until(lambda: sum(node["Alive"] for node in nodes()) == 1)
    executor.close()
    assert cluster.head_node is not None
    left = [p.process.poll() for p in cluster.head_node.all_processes["raylet"]]
    stop: Callable[[], None] = cluster.shutdown
    stop()
    return {"answers": sorted(answers.items()), "runs": runs(folder), "left": left}


def bounded(folder: Path) -> Any:
    """A cluster that could run four tasks is asked for two at once, by one who is connected to it already."""
    import ray

    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    executor = make_executor("ray", workers=2)
    for key in range(8):
        executor.submit(key, tasks.crowd, str(folder), 0.5)
    crowds = gather(executor, 8)
    executor.submit(1, tasks.nap_the_first_time, str(folder), 1, LONG)
    running = process_of(folder, 1)
    executor.close()
    # What the executor ran is stopped, the Ray of another is not.
    until(lambda: not Path(f"/proc/{running}").exists())
    connected = ray.is_initialized()
    disconnect: Callable[[], None] = ray.shutdown
    disconnect()
    return {"most": max(crowds.values()), "connected": connected}


def ctrl_c(folder: Path) -> Any:
    interrupts: list[int] = []
    executor = make_executor("ray", workers=2)
    signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    for key in range(4):
        executor.submit(key, tasks.nap_the_first_time, str(folder), key, 1.0)
    process_of(folder, 0)
    os.killpg(0, signal.SIGINT)
    answers = gather(executor, 4)
    executor.close()
    return {"answers": sorted(answers.items()), "runs": runs(folder), "interrupts": len(interrupts)}


def killed_driver(folder: Path) -> Any:
    """Hold two busy workers; the test kills this process."""
    before = signal.getsignal(signal.SIGTERM)
    executor = make_executor("ray", workers=2)
    assert signal.getsignal(signal.SIGTERM) is before
    for key in range(2):
        executor.submit(key, tasks.busy, str(folder), LONG)
    gather(executor, 2)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
