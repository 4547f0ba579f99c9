"""Commands in a network namespace of their own, from which nothing leads out: Ray opens ports.

Run as a script, inside such a namespace, it brings up the loopback interface and becomes the command it is given. The
interface gets a second, public-looking address and the default route, so that a program which would listen to the
world outside can be told from one that would not.
"""

import ctypes
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
ADDRESS = "203.0.113.7"
# From <linux/sockios.h>, <linux/if.h> and <linux/route.h>; the tool `ip` is not everywhere.
SIOCADDRT, SIOCSIFFLAGS, SIOCSIFADDR = 0x890B, 0x8914, 0x8916
IFF_UP, RTF_UP = 0x1, 0x1


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


def _internet(address: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))


def _furnish() -> None:
    device = ctypes.create_string_buffer(b"lo")
    anywhere = _internet("0.0.0.0")
    fields = (0, anywhere, anywhere, anywhere, RTF_UP, 0, 0, 0, 0, ctypes.addressof(device), 0, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s16s8x", b"lo:1", _internet(ADDRESS)))
        fcntl.ioctl(control, SIOCADDRT, struct.pack("@L16s16s16sHhLPhPLLH", *fields))


if __name__ == "__main__":
    _furnish()
    os.execvp(sys.argv[1], sys.argv[1:])
