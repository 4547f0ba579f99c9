"""Executors: pure functions run in this process, in worker processes, or on a Ray cluster, behind one protocol."""

from flipforge.executors._registry import ExecutorFactory, make_executor, names, register_executor

__all__ = ["ExecutorFactory", "make_executor", "names", "register_executor"]
