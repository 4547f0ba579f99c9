"""Tasks for the executors' tests: worker processes import them by name."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt


def square(number: int) -> int:
    return number * number


def total(values: npt.NDArray[np.uint64], exponent: int) -> int:
    return int((values ** np.uint64(exponent)).sum())


def ramp(length: int) -> npt.NDArray[np.uint64]:
    return np.arange(length, dtype=np.uint64)


def scale(_: int) -> None:
    raise ValueError("the scale\nis zero")


class SealedError(Exception):
    """Holds what does not pickle, and does not come back from its own arguments either."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"sealed {first + second}")
        self.key = lambda: first


def sealed(first: int) -> None:
    raise SealedError(first, 1)


def opener(_: int) -> object:
    return lambda: None


class Bomb:
    """Pickles, and raises when it is read back."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return scale, (0,)


def bomb(_: int) -> Bomb:
    return Bomb()


def identity(value: object) -> object:
    return value


def interrupt(_: int) -> None:
    raise KeyboardInterrupt


def pid(_: int) -> int:
    return os.getpid()


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def report_pid_then_nap(folder: str, key: int, seconds: float) -> int:
    """Leave a file named by task and process, then sleep: the test knows whom to kill, and how often a task ran."""
    Path(folder, f"{key}-{os.getpid()}").touch()
    time.sleep(seconds)
    return key


def busy(folder: str, seconds: float) -> None:
    """Compute without a pause, as a kernel does."""
    Path(folder, str(os.getpid())).touch()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def die_once(folder: str, key: int) -> int:
    """Kill this process the first time."""
    mark = Path(folder, f"died-{key}")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return key


def die(folder: str) -> None:
    """Kill this process each time, and count."""
    Path(folder, f"death-{time.monotonic_ns()}").touch()
    os.kill(os.getpid(), signal.SIGKILL)


def shout(text: str) -> str:
    print(text, flush=True)
    os.write(1, f"{text}\n".encode())
    return text


WARMED: list[int] = []


def warm() -> None:
    """Count the calls in this process."""
    WARMED.append(os.getpid())


def warmed(_: int) -> list[int]:
    """Return where this process was warmed, once a call, after its own number."""
    return [os.getpid(), *WARMED]


def cold() -> None:
    raise OSError("no compiler here")


def stillborn() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
