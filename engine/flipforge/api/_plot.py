"""Figures of runs, drawn by matplotlib: the course of one search, or how far the members of a family are."""

import io
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flipforge.api._library import Db, open_store
from flipforge.api._rounds import member_rows
from flipforge.catalogue import SqliteStore, best_known
from flipforge.errors import InputError
from flipforge.schemes.formats import write_atomically
from flipforge.search import RunRecord, Statistics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

__all__ = ["plot"]

_FORMATS = ("svg", "png")
_MOST_MEMBERS = 80
_MOST_BINS = 120
_MOST_COURSES = 8
_LOG_FROM = 50
"""Heights that differ by more than this factor are drawn on a logarithmic axis."""
_BLUE, _ORANGE, _GREEN, _GREY = "#3465a4", "#ce5c00", "#4e9a06", "#888a85"
_STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e5e5",
    "legend.frameon": False,
    "legend.fontsize": 8,
    # A figure of the same run is the same file.
    "svg.hashsalt": "flipforge",
    "svg.fonttype": "none",
}


def plot(run: str, out: str | Path | None = None, *, db: Db = None) -> dict[str, Any]:
    """Draw a run and write the figure.

    Parameters
    ----------
    run
        ID of a run or its first characters. Of one search: rank against flips, success and schemes by level, and the
        rate. Of a run over a family: gap to the best known rank, and flips, of each problem, and how the largest gaps
        came down with CPU time, which tells what more of it would give.
    out
        File to write, SVG or PNG by its suffix; ``RUN.svg`` in the present folder unless given.

    Returns
    -------
    dict
        ``run``, ``file``, ``format`` and the titles of the ``panels``.

    Raises
    ------
    InputError
        matplotlib is not installed, the suffix is another, or the run has walked nothing.
    NotFoundError
        The catalogue has no such run.
    """
    _check_matplotlib()
    path = None if out is None else Path(out)
    if path is not None and path.suffix.lower().removeprefix(".") not in _FORMATS:
        raise InputError(f"{path}: no figure format of this suffix here; name a file ending in .svg or .png")
    with open_store(db) as store:
        record = store.run(run)
        if "members" in record.config:
            figure, panels = _draw_family(record, member_rows(record, store), _courses(record, store))
        else:
            figure, panels = _draw_run(record, [event for event in store.events(record.id) if "error" not in event])
    path = path or Path(f"{record.id}.svg")
    form = path.suffix.lower().removeprefix(".")
    write_atomically({path: _rendered(figure, form)})
    return {"run": record.id, "file": str(path), "format": form, "panels": panels}


def _check_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError("plot needs matplotlib, which is not installed: pip install 'flipforge[plot]'") from None


@contextmanager
def _style() -> "Iterator[None]":
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        with mpl.rc_context(_STYLE):
            yield


def _rendered(figure: "Figure", form: str) -> bytes:
    buffer = io.BytesIO()
    with _style():
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(buffer, format=form, dpi=150, metadata=metadata)
    return buffer.getvalue()


def _draw_run(record: RunRecord, events: Sequence[Mapping[str, Any]]) -> tuple["Figure", list[str]]:
    from matplotlib.figure import Figure

    if not events:
        raise InputError(f"run {record.id} has walked nothing yet; there is nothing to plot")
    statistics = Statistics()
    for event in events:
        statistics.tell(event)
    with _style():
        figure = Figure(figsize=(10, 6.6), layout="constrained")
        figure.suptitle(_title(record), fontsize=12)
        axes = figure.subplots(2, 2).flat
        _course(axes[0], record, statistics.course())
        _successes(axes[1], statistics.rows())
        _pools(axes[2], record, statistics.rows())
        _rate(axes[3], events)
    return figure, [panel.get_title(loc="left") for panel in axes]


def _title(record: RunRecord) -> str:
    rank = "" if record.rank is None else f", rank {record.rank}"
    return f"{record.problem} over {record.ring}{rank}: {record.flips:,} flips (run {record.id})"


def _course(axes: "Axes", record: RunRecord, course: Sequence[Sequence[int]]) -> None:
    """Draw the lowest rank so far as steps; logarithmic in the flips, as the falls come ever more slowly."""
    flips = [max(1, steps) for steps, _ in course] + [max(1, record.flips)]
    ranks = [rank for _, rank in course] + [course[-1][1]]
    axes.step(flips, ranks, where="post", color=_BLUE, linewidth=1.8)
    known = best_known(record.problem, record.ring)
    target = record.config.get("limits", {}).get("target")
    if known is not None:
        axes.axhline(known.rank, color=_GREEN, linestyle="--", linewidth=1.2, label=f"best known, {known.rank}")
    if target is not None and (known is None or target != known.rank):
        axes.axhline(target, color=_ORANGE, linestyle=":", linewidth=1.4, label=f"target, {target}")
    axes.set_xscale("log")
    axes.set_xlim(left=max(1, min(flips[1:]) / 2), right=flips[-1])
    axes.set(title="Rank against flips", xlabel="flips", ylabel="lowest rank")
    axes.yaxis.set_major_locator(_integers())
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper right")


def _successes(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    levels = [row["level"] for row in rows]
    axes.bar(levels, [100 * (row["success_rate"] or 0) for row in rows], color=_BLUE, width=0.75)
    for row in rows:
        if not row["successes"]:
            axes.annotate("none", (row["level"], 0), (0, 3), textcoords="offset points", ha="center", fontsize=7)
    axes.set(title="Success by level", xlabel="walks from rank", ylabel="walks that went lower (%)", ylim=(0, 104))
    _levels_downwards(axes, levels)


def _pools(axes: "Axes", record: RunRecord, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw what was found from each level, and what the pools hold of it at the end."""
    # Runs of version 0.1 do not tell.
    pools = {int(rank): size for rank, size in record.checkpoint.get("pools", {}).items()}
    found = {row["level"] - 1: row["fresh"] for row in rows if row["fresh"]}
    axes.bar(list(found), list(found.values()), color="#c5d4e8", width=0.75, label="found by walks from above")
    axes.bar(list(pools), list(pools.values()), color=_BLUE, width=0.45, label="in the pool at the end")
    axes.set(title="Schemes by rank", xlabel="rank", ylabel="schemes")
    heights = [*found.values(), *pools.values()]
    if heights and max(heights) > _LOG_FROM * min(heights):
        axes.set_yscale("log")
    axes.set_ylim(top=axes.get_ylim()[1] * 1.25)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="upper left", ncols=2)
    _levels_downwards(axes, [*found, *pools, rows[-1]["level"]])


def _rate(axes: "Axes", events: Sequence[Mapping[str, Any]]) -> None:
    """Draw the mean rate in equal spans of CPU time."""
    import numpy as np

    seconds = np.array([event["seconds"] for event in events], dtype=float)
    steps = np.array([event["steps"] for event in events], dtype=float)
    ends = np.cumsum(seconds)
    edges = np.linspace(0, ends[-1], min(_MOST_BINS, len(events)) + 1)
    # Steps are taken as spread evenly over their chunk.
    walked = np.interp(edges, np.concatenate(([0.0], ends)), np.concatenate(([0.0], np.cumsum(steps))))
    spans = np.diff(edges)
    rates = np.divide(np.diff(walked), spans, out=np.zeros_like(spans), where=spans > 0) / 1e6
    axes.stairs(rates, edges, baseline=None, color=_BLUE, linewidth=1.4)
    axes.axhline(
        steps.sum() / ends[-1] / 1e6 if ends[-1] else 0, color=_GREY, linestyle="--", linewidth=1, label="mean"
    )
    axes.set(title="Rate over the run", xlabel="CPU seconds of all workers", ylabel="million steps per CPU second")
    axes.set_xlim(0, ends[-1] or 1)
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right")


def _integers() -> "MaxNLocator":
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True)


def _levels_downwards(axes: "Axes", levels: Sequence[int]) -> None:
    """Let ranks fall from left to right, as they do in the course of a run."""
    axes.set_xlim(max(levels) + 0.8, min(levels) - 0.8)
    axes.xaxis.set_major_locator(_integers())
    axes.grid(visible=False, axis="x")


def _courses(record: RunRecord, store: SqliteStore) -> dict[str, list[tuple[float, int]]]:
    """Return, for each member walked, the CPU seconds spent on it and its lowest rank, at each fall and at last."""
    courses: dict[str, list[tuple[float, int]]] = {}
    begun = record.config.get("begun", {})
    for run, event in store.family_events(record.id):
        if "error" in event:
            continue
        problem = record.config["members"][int(run.split(".")[1])]
        level = event["level"]
        course = courses.setdefault(problem, [(0.0, min(level, begun.get(problem, level)))] * 2)
        seconds, rank = course.pop()
        lowest = min(rank, event.get("rank", level))
        course += [(seconds + event["seconds"], lowest)] * (1 + (lowest < rank))
    return courses


def _draw_family(
    record: RunRecord, rows: Sequence[Mapping[str, Any]], courses: Mapping[str, Sequence[tuple[float, int]]]
) -> tuple["Figure", list[str]]:
    from matplotlib.figure import Figure

    shown = list(rows)
    if len(rows) > _MOST_MEMBERS:
        worst = sorted(rows, key=lambda row: -(row["gap"] or 0))[:_MOST_MEMBERS]
        shown = [row for row in rows if row in worst]
    with _style():
        figure = Figure(figsize=(10, 5 + 0.2 * len(shown)), layout="constrained")
        verdicts = [row["target_reached"] for row in rows if row["target_reached"] is not None]
        part = f", the {len(shown)} farthest shown" if len(shown) < len(rows) else ""
        figure.suptitle(
            f"{record.problem} over {record.ring}: {sum(verdicts)} of {len(verdicts)} at the best known rank{part} "
            f"(run {record.id})",
            fontsize=12,
        )
        grid = figure.add_gridspec(2, 2, width_ratios=(3, 2), height_ratios=(1.2 + 0.2 * len(shown), 3))
        left = figure.add_subplot(grid[0, 0])
        right = figure.add_subplot(grid[0, 1], sharey=left)
        right.tick_params(labelleft=False)
        below = figure.add_subplot(grid[1, :])
        _gaps(left, shown)
        _falls(below, rows, courses)
        places = range(len(shown))
        right.barh(places, [row["flips"] for row in shown], color=_GREY, height=0.6)
        right.set(title="Flips", xlabel="flips")
        if any(row["flips"] for row in shown):
            right.set_xscale("log")
        right.grid(visible=False, axis="y")
    return figure, [panel.get_title(loc="left") for panel in (left, right, below)]


def _falls(axes: "Axes", rows: Sequence[Mapping[str, Any]], courses: Mapping[str, Sequence[tuple[float, int]]]) -> None:
    """Draw how the gaps of the members that are farthest came down; logarithmic in time, as falls come ever later."""
    walked = [row for row in rows if row["problem"] in courses and row["best_known"] is not None]
    for row in sorted(walked, key=lambda row: -row["gap"])[:_MOST_COURSES]:
        course = courses[row["problem"]]
        label = f"{row['problem']}, rank {course[-1][1]} ({row['best_known']})"
        seconds, gaps = [each for each, _ in course], [rank - row["best_known"] for _, rank in course]
        axes.step(seconds, gaps, where="post", linewidth=1.6, label=label)
    axes.axhline(0, color=_GREEN, linewidth=1)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_locator(_integers())
    title = "Gap against CPU seconds, of the farthest; rank (best known)"
    axes.set(title=title, xlabel="CPU seconds spent on the problem", ylabel="rank - best known rank")
    if walked:
        axes.legend(loc="upper right", ncols=2)


def _gaps(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    for place, row in enumerate(rows):
        gap = row["gap"]
        if row["rank"] is None:
            text, colour = "not begun", _GREY
        elif gap is None:
            text, colour = f"rank {row['rank']}, none known", _GREY
        else:
            text, colour = f"{row['rank']}", _GREEN if gap <= 0 else _ORANGE
        axes.plot([0, gap or 0], [place, place], color=colour, linewidth=5, solid_capstyle="butt")
        axes.plot([gap or 0], [place], "o", color=colour, markersize=5)
        axes.annotate(text, (gap or 0, place), (7, 0), textcoords="offset points", va="center", fontsize=8)
    axes.axvline(0, color=_GREEN, linewidth=1)
    gaps = [row["gap"] or 0 for row in rows]
    axes.set_xlim(min(0, *gaps) - 0.5, max(1, *gaps) * 1.12 + 0.5)
    axes.set_yticks(range(len(rows)), [row["problem"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_locator(_integers())
    axes.grid(visible=False, axis="y")
    axes.set(title="Gap to the best known rank, and the rank", xlabel="rank - best known rank")
