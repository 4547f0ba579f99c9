"""The live line and the live table of a long run: on standard error, and only on a terminal."""

import sys
from collections.abc import Sequence
from shutil import get_terminal_size
from time import monotonic
from typing import TYPE_CHECKING, Any

from flipforge.api import FamilyProgress, LiftProgress, Member
from flipforge.search import ClosureProgress, Progress

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["LiveLine", "LiveTable", "reached_text"]

_POOLS_SHOWN = 4
_TABLE_SECONDS = 0.25
_TABLE_FRAME = 3
"""Lines of the screen that are not members: the header, the line below, and that of the cursor."""


class LiveLine:
    """Shows progress in one line that is written over; a context manager that wipes it at the end."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def __enter__(self) -> "LiveLine":
        return self

    def __exit__(self, *exception: object) -> None:
        self._write("")

    def __call__(self, progress: Progress | ClosureProgress | LiftProgress) -> None:
        """Show the state of a run, of a closure, or of a batch of lifts."""
        if isinstance(progress, Progress):
            self._write(progress_text(progress))
        elif isinstance(progress, ClosureProgress):
            self._write(closure_text(progress))
        else:
            self._write(f"{progress.done} of {progress.total} schemes | {progress.lifted} lifted")

    def _write(self, text: str) -> None:
        if self._on:
            width = get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:width]}")
            sys.stderr.flush()


class LiveTable:
    """Shows the members of a family in a table that fills as the run goes; wiped at the end.

    Where the screen has not enough lines, the members that changed last are shown.
    """

    def __init__(self) -> None:
        self._live: Any = None
        self._shown = 0.0
        self._order = _Order()

    def __enter__(self) -> "LiveTable":
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=sys.stderr)
            self._live = Live(
                console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: FamilyProgress) -> None:
        """Show the state of a run."""
        if self._live is None:
            return
        self._order.see(progress)
        if monotonic() - self._shown >= _TABLE_SECONDS:
            self._shown = monotonic()
            room = max(1, self._live.console.height - _TABLE_FRAME)
            self._live.update(family_table(progress, self._order.lines(progress, room)), refresh=True)


class _Order:
    """Remembers which members changed last."""

    def __init__(self) -> None:
        self._ranks: dict[int, int | None] = {}
        self._changes: dict[int, int] = {}
        self._count = 0

    def see(self, progress: FamilyProgress) -> None:
        """Note the member whose turn it is, where its rank is new."""
        number = progress.active
        rank = progress.members[number].rank
        if self._ranks.get(number, -1) != rank:
            self._ranks[number] = rank
            self._count += 1
            self._changes[number] = self._count

    def lines(self, progress: FamilyProgress, room: int) -> list[int]:
        """Return the members to show: all in their order, or those that fit, the active one and the last changes."""
        everything = range(len(progress.members))
        if len(everything) <= room:
            return list(everything)
        recent = sorted(everything, key=lambda number: (number != progress.active, -self._changes.get(number, 0)))
        return recent[:room]


def family_table(progress: FamilyProgress, lines: Sequence[int]) -> "RenderableType":
    """Return the table of these members, with a line below it on the whole family."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("problem", no_wrap=True)
    for name in ("rank", "best known", "gap", "at", "flips", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for number in lines:
        member = progress.members[number]
        style = "bold" if number == progress.active else "green" if member.reached else ""
        table.add_row(*_member_cells(member), style=style)
    return Group(table, Text(family_text(progress, len(lines)), no_wrap=True, overflow="ellipsis"))


def family_text(progress: FamilyProgress, shown: int) -> str:
    """Return e.g. ``12 of 60 at the best known rank, 40 not shown | 21.3 Mflips/s | 0:41 gone, 9:19 left``."""
    verdicts = [member.reached for member in progress.members]
    hidden = len(progress.members) - shown
    return (
        f"{reached_text(verdicts)}{f', {hidden} not shown' if hidden else ''} | "
        f"{progress.rate / 1e6:.1f} Mflips/s | {_times(progress)}"
    )


def reached_text(verdicts: Sequence[bool | None]) -> str:
    """Return e.g. ``12 of 60 at the best known rank, 4 without one``; a verdict is None where no rank is known."""
    unknown = sum(verdict is None for verdict in verdicts)
    text = f"{sum(map(bool, verdicts))} of {len(verdicts) - unknown} at the best known rank"
    return text + (f", {unknown} without one" if unknown else "")


def _member_cells(member: Member) -> list[str]:
    numbers = (member.rank, member.best_known, member.gap, member.level)
    texts = ["-" if number is None else str(number) for number in numbers]
    begun = member.rank is not None
    flips = f"{member.flips / 1e6:,.1f} M" if begun else "-"
    return [member.problem, *texts, flips, _clock(member.seconds) if begun else "-"]


def progress_text(progress: Progress) -> str:
    """Return e.g. ``rank 24 | at 24 | 21.3 Mflips/s | pools 24:12 25:50 | 0:41 gone, 9:19 left``."""
    near = [(rank, size) for rank, size in progress.pools.items()][:_POOLS_SHOWN]
    pools = " ".join(f"{rank}:{size}" for rank, size in near)
    rate = progress.rate / 1e6
    return f"rank {progress.rank} | at {progress.level} | {rate:.1f} Mflips/s | pools {pools} | {_times(progress)}"


def closure_text(progress: ClosureProgress) -> str:
    """Return e.g. ``GF2 | sweep 2 | 74 of 100 problems | 12 improved``."""
    return (
        f"{progress.ring} | sweep {progress.sweep} | {progress.done} of {progress.targets} problems | "
        f"{progress.improved} improved"
    )


def _times(progress: Progress | FamilyProgress) -> str:
    left = "" if progress.left is None else f", {_clock(progress.left)} left"
    return f"{_clock(progress.seconds)} gone{left}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
