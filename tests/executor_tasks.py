"""Tasks for the executors' tests: worker processes import them by name."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt


def square(number: int) -> int:
    return number * number


def echo(values: npt.NDArray[np.uint64], _: int) -> npt.NDArray[np.uint64]:
    return values


def scale(_: int) -> None:
    raise ValueError("the scale\nis zero")


class SealedError(Exception):
    """Holds what does not pickle, and does not come back from its own arguments either."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"sealed {first + second}")
        self.key = lambda: first


def sealed(first: int) -> None:
    raise SealedError(first, 1)


def lock(_: int) -> object:
    return threading.Lock()


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


def nap_the_first_time(folder: str, key: int, seconds: float) -> int:
    """Leave a file named by task and process, whom to kill and how often the task ran; sleep if it is the first."""
    first = not any(Path(folder).glob(f"{key}-*"))
    Path(folder, f"{key}-{os.getpid()}").touch()
    if first:
        time.sleep(seconds)
    return key


def crowd(folder: str, seconds: float) -> int:
    """Return how many of this task ran at the same moment, this one counted."""
    mark = Path(folder, f"here-{os.getpid()}")
    mark.touch()
    time.sleep(seconds)
    number = len(list(Path(folder).glob("here-*")))
    mark.unlink()
    return number


def busy(folder: str, seconds: float) -> None:
    """Compute without a pause, as a kernel does."""
    Path(folder, str(os.getpid())).touch()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def die(folder: str) -> None:
    """Kill this process each time, and count."""
    Path(folder, f"death-{time.monotonic_ns()}").touch()
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_first(folder: str, name: str, times: int) -> str:
    """Kill this process so many times, then return."""
    if len(list(Path(folder).glob(f"{name}-*"))) < times:
        Path(folder, f"{name}-{os.getpid()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return name


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


def warm_at_last(folder: str) -> None:
    die_at_first(folder, "warm", 2)


def stillborn() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
