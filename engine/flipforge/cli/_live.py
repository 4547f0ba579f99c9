"""The live line of a long run: on standard error, and only on a terminal."""

import sys
from shutil import get_terminal_size

from flipforge.search import Progress

__all__ = ["LiveLine"]

_POOLS_SHOWN = 4


class LiveLine:
    """Shows progress in one line that is written over; a context manager that wipes it at the end."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def __enter__(self) -> "LiveLine":
        return self

    def __exit__(self, *exception: object) -> None:
        self._write("")

    def __call__(self, progress: Progress) -> None:
        """Show the state of a run."""
        self._write(progress_text(progress))

    def _write(self, text: str) -> None:
        if self._on:
            width = get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:width]}")
            sys.stderr.flush()


def progress_text(progress: Progress) -> str:
    """Return e.g. ``rank 24 | at 24 | 21.3 Mflips/s | pools 24:12 25:50 | 0:41 gone, 9:19 left``."""
    near = [(rank, size) for rank, size in progress.pools.items()][:_POOLS_SHOWN]
    pools = " ".join(f"{rank}:{size}" for rank, size in near)
    left = "" if progress.left is None else f", {_clock(progress.left)} left"
    rate = progress.rate / 1e6
    return (
        f"rank {progress.rank} | at {progress.level} | {rate:.1f} Mflips/s | pools {pools} | "
        f"{_clock(progress.seconds)} gone{left}"
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
