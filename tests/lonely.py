"""Commands in a network namespace of their own, where only the loopback interface is up: Ray opens ports.

Run as a script, inside such a namespace, it brings the interface up and becomes the command it is given.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

__all__ = ["environment", "isolated", "run_isolated"]

TESTS = Path(__file__).resolve().parent
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def environment() -> dict[str, str]:
    """Return an environment in which the modules beside this file can be imported."""
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{path}" if path else str(TESTS)}


@cache
def _flags() -> tuple[str, ...] | None:
    for flags in (("-n",), ("-r", "-n")):
        try:
            done = subprocess.run(
                ["unshare", *flags, sys.executable, __file__, "true"], capture_output=True, timeout=30, check=False
            )
        except OSError:
            return None
        if done.returncode == 0:
            return flags
    return None


def isolated(*command: str) -> list[str]:
    """Return `command` as it is run in a namespace of its own; the test is skipped where that is refused."""
    import pytest

    flags = _flags()
    if flags is None:
        pytest.skip("needs a network namespace of its own, and `unshare -n` is refused here")
    return ["unshare", *flags, sys.executable, __file__, *command]


def run_isolated(*arguments: str, seconds: float, new_session: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run Python, warnings as errors, with these arguments in a namespace of its own."""
    return subprocess.run(
        isolated(sys.executable, "-W", "error", *arguments),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        start_new_session=new_session,
    )


if __name__ == "__main__":
    with socket.socket() as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    os.execvp(sys.argv[1], sys.argv[1:])
