"""Ctrl-C at a better moment."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import current_thread, main_thread

__all__ = ["interrupts_held"]

# Ctrl-C, and what the command line takes for it.
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold interrupts back until the end of the block, which so is never left halfway.

    An error that leaves the block stands for what was held back. Only the main thread is ever interrupted: in others
    there is nothing to hold.
    """
    if current_thread() is not main_thread():
        yield
        return
    held: list[int] = []
    with ExitStack() as stack:
        for number in _INTERRUPTS:
            before = signal.getsignal(number)
            if before is not None:  # else it is not Python's, and could not be put back
                stack.callback(signal.signal, number, before)
                signal.signal(number, lambda received, frame: held.append(received))
        yield
    if held:
        signal.raise_signal(held[0])
