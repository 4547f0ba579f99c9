"""The life of a worker process."""

import os
import pickle
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread

from flipforge.executors._task import Warm, answer, run, warm_up

__all__ = ["work"]


def work(link: Connection, warm: Warm | None) -> None:
    """Warm up, report, then answer tasks in the order in which they arrive until the driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # The driver's stdout carries data; what a task prints belongs with the messages.
    sys.stdout.flush()
    os.dup2(2, 1)
    tasks: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_receive, args=(link, tasks), daemon=True).start()
    with suppress(BrokenPipeError, ConnectionResetError):
        link.send_bytes(pickle.dumps(None if warm is None else run(warm_up, (warm,))))
        while True:
            link.send_bytes(answer(tasks.get()))


def _receive(link: Connection, tasks: SimpleQueue[bytes]) -> None:
    # In a thread of its own, which sees the driver die while a task runs, and always empties the pipe: driver and
    # worker never wait for each other to read.
    with suppress(EOFError, OSError):
        while True:
            tasks.put(link.recv_bytes())
    os._exit(1)
