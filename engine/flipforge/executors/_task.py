"""What all executors share: how a task is run, how its error is told, how a worker is warmed."""

import fcntl
import os
import pickle
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flipforge.search import Failure

__all__ = ["ATTEMPTS", "Warm", "answer", "failure", "loaded", "run", "warm_up"]

Warm = Callable[[], None]

# How often a task may take its worker down before it is given up.
ATTEMPTS = 3


def failure(error: BaseException) -> Failure:
    """Tell an error in one line, with the place that raised it.

    Text instead of the error itself, because an exception may hold what does not pickle.
    """
    text = " ".join("".join(traceback.format_exception_only(error)).split())
    frames = traceback.extract_tb(error.__traceback__)
    return Failure(f"{text} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else text)


def run(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return ``function(*args)``, or a `Failure` for what it raised; a `KeyboardInterrupt` passes."""
    try:
        return function(*args)
    except Exception as error:
        return failure(error)


def answer(payload: bytes, dumps: Callable[[Any], bytes] = pickle.dumps) -> bytes:
    """Run a pickled ``(function, args)`` and pickle what it returns, or the `Failure` of any of the three."""
    try:
        return dumps(run(*pickle.loads(payload)))
    except Exception as error:
        return pickle.dumps(failure(error))


def loaded(message: bytes) -> Any:
    """Read what `answer` wrote, or a `Failure` where the value does not come back."""
    try:
        return pickle.loads(message)
    except Exception as error:
        return failure(error)


def warm_up(warm: Warm) -> None:
    """Run `warm`; where several processes of a machine do so at once, one goes ahead.

    The first compiles and fills the kernel cache on disk; the others wait for it, then load from there side by side.
    """
    path = Path(tempfile.gettempdir()) / f"flipforge-warm-{os.getuid()}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        # Without a folder to write in there is no kernel cache to wait for either.
        warm()
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_SH)
            fcntl.flock(lock, fcntl.LOCK_UN)
        warm()
    finally:
        os.close(lock)
