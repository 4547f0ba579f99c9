"""CPU seconds of one thread from the standard algorithm to a rank, over several seeds, beside other programs.

    python bench/time_to_rank.py --log times.jsonl
    python bench/time_to_rank.py --log times.jsonl --flip-cpd PROGRAM --ternary-flip-graph PROGRAM matmul:4x4x4:49
    python bench/time_to_rank.py --log times.jsonl --report --markdown

Each try is a process tree of its own and counts all its CPU seconds, start-up included; ours is one `flipforge search`
with default settings, one worker and a new catalogue. A try ends at its row's cap of CPU seconds and is a miss then.
Misses count as infinitely long in the median, so that a median is a time only where more than half of the tries hit.
Tries of the programs alternate. Each is one line of the log as soon as it ends, and a try that the log has is not made
again: stop and start at will, and give each version of the code a log of its own.

For ours a second figure is the median without start-up: three searches of each row that end after one step are timed
(they too go to the log), and their median is taken off. Compiled kernels are cached on disk: one search of each row,
ended after twenty seconds and not logged, sees to it that no try compiles.

A PROGRAM is another project's search with the settings that suit it best, brought to this form: called with
PROBLEM RING TARGET SEED it searches in one thread until it has a scheme of the target rank, then exits with 0. On
standard output, flushed, it writes ``settings TEXT`` once and ``rank R`` for each new rank. What flip-cpd
(github.com/khoruzhii/flip-cpd) and ternary_flip_graph (github.com/dronperminov/ternary_flip_graph) ship fills whole
pools at the target rank and takes no seed, or tells of ranks at the end of a round only: some lines against their
headers stop at the first scheme.
"""

import argparse
import json
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from flipforge.api import runs

OURS = "flipforge"
PEERS = ("flip-cpd", "ternary_flip_graph")

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 30
_STARTUPS = 3
_WARM = "20s"


@dataclass(frozen=True)
class Row:
    problem: str
    ring: str
    target: int
    cap: float = 120

    @property
    def name(self) -> str:
        return f"{self.problem}:{self.target}"

    def programs(self) -> tuple[str, ...]:
        """Return who can try this row: flip-cpd has finite fields only, ternary_flip_graph general products only."""
        fits = {"flip-cpd": self.ring in ("GF2", "GF3"), "ternary_flip_graph": self.problem.startswith("matmul:")}
        return (OURS, *(peer for peer in PEERS if fits[peer]))


ROWS = (
    Row("matmul:3x3x3", "GF2", 23),
    Row("matmul:3x3x3", "ZT", 23),
    Row("structured:gt:4", "GF2", 34),
    Row("structured:ug:4", "GF2", 34),
    Row("structured:ss:4", "GF2", 32),
    Row("structured:ss:2", "GF3", 5),
    Row("structured:kg:3", "GF3", 14),
    Row("structured:kg:3", "Q", 14),  # without flips; modulo 3 it is what the row above looks for
    Row("structured:st:3", "GF3", 10),
    Row("matmul:3x4x5", "GF2", 47),
    Row("matmul:4x4x4", "GF2", 49),
    Row("matmul:4x4x4", "ZT", 49),
    Row("matmul:4x4x4", "GF2", 47, cap=600),
)


@dataclass(frozen=True)
class Try:
    """One line of the log: a search, or a start-up of ours (``seed`` is its number then, ``hit`` has no meaning)."""

    kind: str
    program: str
    problem: str
    ring: str
    target: int
    seed: int
    hit: bool
    rank: int | None
    cpu: float
    wall: float
    cap: float
    note: str

    def key(self) -> tuple[str, str, str, str, int, int]:
        return self.kind, self.program, self.problem, self.ring, self.target, self.seed


@dataclass(frozen=True)
class Ended:
    code: int
    stdout: str
    stderr: str
    cpu: float
    wall: float


def tree_seconds(session: int) -> float:
    """Return the CPU seconds of all processes of a session, with those of their children that have ended."""
    ticks = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def run(command: list[str], cap: float) -> Ended:
    """Run a command until it ends or its processes used so many CPU seconds; then interrupt them, and at last kill."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        # As an installed program runs: with what Python compiled kept on disk.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True, env=kept)
        used, deadline = 0.0, math.inf
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
                used = max(used, tree_seconds(process.pid))
                if used > cap and deadline == math.inf:
                    os.killpg(process.pid, signal.SIGINT)
                    deadline = time.perf_counter() + _GRACE_SECONDS
                elif time.perf_counter() > deadline:
                    os.killpg(process.pid, signal.SIGKILL)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        out.seek(0)
        err.seek(0)
        waited = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Ended(process.returncode, out.read(), err.read(), max(waited, used), wall)


def search(row: Row, seed: int, extra: list[str], cap: float) -> tuple[Ended, int | None]:
    """Return how a search ended, and the rank that its run had, interrupted or not."""
    with tempfile.TemporaryDirectory(prefix="flipforge-bench-") as folder:
        db = Path(folder) / "catalogue.db"
        words = [sys.executable, "-m", "flipforge.cli", "search", row.problem, "--ring", row.ring, "--json"]
        words += ["--target-rank", str(row.target), "--seed", str(seed), "--workers", "1", "--db", str(db)]
        ended = run([*words, *extra], cap)
        return ended, next((found["rank"] for found in runs(db=db)), None)


def our_try(row: Row, seed: int) -> Try:
    ended, rank = search(row, seed, [], row.cap)
    if ended.code not in (0, 3, 130, -signal.SIGINT, -signal.SIGKILL):
        sys.exit(f"flipforge search {row.problem} ended with {ended.code}: {ended.stderr.strip()}")
    result = json.loads(ended.stdout) if ended.stdout.strip() else {}
    hit = ended.code == 0 and ended.cpu <= row.cap
    note = f"{result['walk_version']}, {result['flips']} flips" if result else ""
    return Try("try", OURS, *where(row, seed), hit, rank, *spent(ended), row.cap, note)


def our_startups(row: Row) -> list[Try]:
    search(row, 0, ["--time", _WARM], row.cap)
    found = []
    for number in range(1, _STARTUPS + 1):
        ended, _ = search(row, number, ["--max-flips", "1"], row.cap)
        if ended.code not in (0, 3):
            sys.exit(f"flipforge search {row.problem} ended with {ended.code}: {ended.stderr.strip()}")
        found.append(Try("startup", OURS, *where(row, number), False, None, *spent(ended), row.cap, ""))
    return found


def peer_try(name: str, program: Path, row: Row, seed: int) -> Try:
    ended = run([str(program), row.problem, row.ring, str(row.target), str(seed)], row.cap)
    if ended.code and ended.cpu < row.cap:
        sys.exit(
            f"{program} {row.problem} {row.ring} {row.target} {seed} ended with {ended.code}: {ended.stderr[-500:]}"
        )
    rank, note = progress(ended.stdout)
    hit = ended.code == 0 and rank is not None and rank <= row.target and ended.cpu <= row.cap
    return Try("try", name, *where(row, seed), hit, rank, *spent(ended), row.cap, note)


def progress(text: str) -> tuple[int | None, str]:
    """Return the lowest rank and the settings that a program wrote."""
    pairs = [line.split(maxsplit=1) for line in text.splitlines() if line.startswith(("rank ", "settings "))]
    ranks = [int(rest.split()[0]) for word, rest in pairs if word == "rank"]
    return min(ranks, default=None), next((rest for word, rest in pairs if word == "settings"), "")


def where(row: Row, seed: int) -> tuple[str, str, int, int]:
    return row.problem, row.ring, row.target, seed


def spent(ended: Ended) -> tuple[float, float]:
    return round(ended.cpu, 3), round(ended.wall, 3)


def read_log(path: Path) -> list[Try]:
    if not path.exists():
        return []
    # A run killed while it wrote leaves half a line at the end.
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [Try(**json.loads(line)) for line in lines]


def append(path: Path, found: Iterable[Try]) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(one)) + "\n" for one in found)


def complete(path: Path) -> None:
    """Cut off half a line at the end."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")


def measure(rows: list[Row], options: argparse.Namespace) -> None:
    """Make the tries that the log lacks: seeds outermost, so that all rows are known roughly before any is exactly."""
    # A shell's background jobs ignore interrupts, and would hand that down to every try.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    complete(options.log)
    done = {one.key() for one in read_log(options.log)}
    for seed in range(1, max(options.seeds, options.peer_seeds) + 1):
        for row in rows:
            for name in row.programs():
                program = options.programs[name]
                most = options.seeds if name == OURS else options.peer_seeds
                if program is None or seed > most or ("try", name, *where(row, seed)) in done:
                    continue
                if name == OURS and ("startup", OURS, *where(row, _STARTUPS)) not in done:
                    startups = our_startups(row)
                    append(options.log, startups)
                    done.update(one.key() for one in startups)
                one = our_try(row, seed) if name == OURS else peer_try(name, program, row, seed)
                append(options.log, [one])
                verdict = "hit" if one.hit else f"miss at {one.rank}"
                print(f"{row.name} {row.ring} {name} seed {seed}: {verdict}, {one.cpu:.2f} CPU s", file=sys.stderr)


def median(tries: list[Try], less: float = 0.0) -> float | None:
    """Return the median CPU seconds, misses infinitely long; ``less`` is taken off each try, down to 0."""
    return statistics.median(max(one.cpu - less, 0.0) if one.hit else math.inf for one in tries) if tries else None


@dataclass(frozen=True)
class Summary:
    """A row of the report: tries of each program, and the start-up of ours."""

    row: Row
    tries: dict[str, list[Try]]
    startup: float

    def ratio(self) -> float | None:
        """Return the median of the fastest other program over ours; above 1 where ours is ahead, None where unknown."""
        ours = median(self.tries[OURS])
        others = [value for peer in PEERS if (value := median(self.tries[peer])) is not None]
        if ours is None or not others or (ours == math.inf and min(others) == math.inf):
            return None
        return min(others) / ours if ours < math.inf else 0.0


def summarise(rows: list[Row], log: list[Try]) -> list[Summary]:
    found = []
    for row in rows:
        here = [one for one in log if (one.problem, one.ring, one.target) == (row.problem, row.ring, row.target)]
        startups = [one.cpu for one in here if one.kind == "startup"]
        tries = {name: [one for one in here if one.kind == "try" and one.program == name] for name in (OURS, *PEERS)}
        found.append(Summary(row, tries, statistics.median(startups) if startups else 0.0))
    return found


def seconds(value: float | None, cap: float) -> str:
    if value is None:
        return "-"
    return f"> {cap:g}" if value == math.inf else f"{value:.2f}"


def cells(summary: Summary) -> list[str]:
    """Return a row of the report as text."""
    row = summary.row
    texts = [row.name, row.ring, seconds(median(summary.tries[OURS]), row.cap)]
    texts.append(seconds(median(summary.tries[OURS], summary.startup), row.cap))
    texts.append(hits(summary.tries[OURS]))
    for peer in PEERS:
        tries = summary.tries[peer]
        fits = peer in row.programs()
        texts += [seconds(median(tries), row.cap) if fits else "n.a.", hits(tries) if fits else "n.a."]
    ratio = summary.ratio()
    return [*texts, "-" if ratio is None else "> 1" if ratio == math.inf else f"{ratio:.2f}"]


def hits(tries: list[Try]) -> str:
    """Return how many tries hit, of how many, and the ranks at which the others stood."""
    missed = sorted(one.rank for one in tries if not one.hit and one.rank is not None)
    text = f"{sum(one.hit for one in tries)}/{len(tries)}"
    return f"{text} ({', '.join(map(str, missed))})" if missed else text


HEAD = ["target", "ring", OURS, "search only", "hits"] + [word for peer in PEERS for word in (peer, "hits")] + ["ratio"]


def report(rows: list[Row], log: list[Try], markdown: bool) -> str:
    """Return the table, and the settings of the other programs under it."""
    table = [HEAD, *(cells(summary) for summary in summarise(rows, log))]
    if markdown:
        lines = [f"| {' | '.join(texts)} |" for texts in (table[0], ["---"] * len(HEAD), *table[1:])]
    else:
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(t.ljust(w) for t, w in zip(texts, widths, strict=True)).rstrip() for texts in table]
    lines += [
        "",
        "Median CPU seconds of a try, start-up included; hits of tries, and the ranks at which misses stood.",
        "Ratio: the faster of the others over flipforge.",
    ]
    settings = {(one.program, one.problem, one.ring, one.target): one.note for one in log if one.program != OURS}
    lines += [
        f"{program}, {problem}:{target} {ring}: {note}" for (program, problem, ring, target), note in settings.items()
    ]
    return "\n".join(lines)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = " ".join(dict.fromkeys(row.name for row in ROWS))
    parser.add_argument("rows", nargs="*", metavar="PROBLEM:RANK", help=f"any of {names} (all)")
    parser.add_argument("--rings", nargs="+", choices=sorted({row.ring for row in ROWS}), help="only these")
    parser.add_argument("--log", type=Path, required=True, metavar="FILE", help="JSON lines, read and appended to")
    for peer in PEERS:
        parser.add_argument(f"--{peer.replace('_', '-')}", type=Path, metavar="PROGRAM", dest=peer)
    parser.add_argument("--seeds", type=int, default=10, help="tries of ours per row; 0 for none")
    parser.add_argument("--peer-seeds", type=int, default=5, help="tries of each other program per row")
    parser.add_argument("--report", action="store_true", help="print the table from the log and make no try")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args(words)
    unknown = set(options.rows) - {row.name for row in ROWS}
    if unknown:
        parser.error(f"unknown row {min(unknown)!r}: use {names}")
    options.programs = {OURS: Path(sys.executable), **{peer: getattr(options, peer) for peer in PEERS}}
    options.chosen = [
        row
        for row in ROWS
        if (not options.rows or row.name in options.rows) and (not options.rings or row.ring in options.rings)
    ]
    return options


def main() -> None:
    options = arguments()
    if not options.report:
        measure(options.chosen, options)
    print(report(options.chosen, read_log(options.log), options.markdown))


if __name__ == "__main__":
    main()
