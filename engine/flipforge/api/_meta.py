"""Searches over a lattice of formats: what is found in one of them seeds the others."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from flipforge.api._library import load, parse_problem
from flipforge.api._rounds import Member, Rounds, member_seed
from flipforge.api._spaces import fitted, kept, named, starts_of
from flipforge.api._terms import objective_named
from flipforge.catalogue import OWN, Query, SqliteStore
from flipforge.errors import InputError, NotFoundError
from flipforge.problems import Problem, matmul
from flipforge.rings import Ring
from flipforge.schemes import Scheme, symmetry
from flipforge.search import (
    HOLDS,
    Archive,
    Bandit,
    Entry,
    FlipSpace,
    Lattice,
    Limits,
    Objective,
    Progress,
    Run,
    RunRecord,
    SymmetricSpace,
    linked,
    unchanged,
)

__all__ = ["NOTHING", "MetaRounds", "begin_meta", "check_lattice"]

NOTHING = ("standard",)
"""In place of schemes to start from: the standard algorithms alone."""

_FIRST = "standard"
_GROUPS = {"cyclic": "Z3", "mirror": "swap", "turn": "swapxZ2"}
"""Moves among schemes that a group leaves as they are."""
_ALONE = (_FIRST, *_GROUPS)
"""Moves that begin where a search of the format alone does, whatever the archive has."""
_RELAXED = {f"relax-{move}": move for move in _GROUPS}
"""Moves that walk on without the symmetry from what another found with it."""
_MADE = ("own", "extend", "merge", "tensor", "project", "restrict", "order")
MOVES = (_FIRST, *_MADE, *HOLDS, *_GROUPS, *_RELAXED)
_DRAWN = 4
"""Schemes that a turn without the symmetry begins with."""
_RANKS_HALVED = 3
"""So many ranks higher, a scheme is drawn half as often."""
_TURNS = 6
"""Turns without a gain, each twice as long as the one before, after which a move begins again with other starts."""
_KINDS = ("matmul:", "structured:")
_USUAL_TURNS = 4
"""Turns of the first length in which a move is thought to gain a rank as long as nothing is known of it."""

_FITTED = 24
"""Schemes of a problem in the catalogue that are tried for one that meets the objective, where that is a must."""

Pair = tuple[int, str]


@dataclass(frozen=True)
class _Arm:
    """A move for one format: turns since it gained, the rank it was bound to begin at, whether it leads nowhere."""

    bound: int
    turns: int = 0
    stuck: bool = False


@dataclass(frozen=True)
class _Turn:
    """A turn that is under way.

    Attributes
    ----------
    pair
        Whose it is.
    until
        Up to how many steps of the pair's run.
    bound
        What the move was bound to give when the run began.
    afresh, exact
        Whether it begins with new starts, and these with the lowest rank that the move is bound to give.
    """

    pair: Pair
    until: int
    bound: int
    afresh: bool
    exact: bool


class MetaRounds(Rounds):
    """Gives turns to pairs of a format and a move: those that are bound to improve the archive, else as a bandit says.

    Each pair has a run of its own, which begins with schemes that its move makes of the archive. A turn is rewarded by
    the ranks that its walks got below both the archive's best and what the move was bound to give; the worth of a rank
    is its share of the format's rank, so that few products saved in a small format weigh as much as many in a large
    one. A pair begins again when its move can start lower than it did, and after turns that grew and gained nothing.
    Between two turns all there is to know stands in the store.
    """

    def __init__(self, store: SqliteStore, *others: Any, **terms: Any) -> None:
        super().__init__(store, *others, **terms)
        checkpoint = self._record.checkpoint
        self._problems = [parse_problem(member.problem) for member in self._members]
        self._archive = Archive(checkpoint["archive"])
        # A run that an earlier version began has the names alone.
        self._given = set(self._record.config.get("begun", self._record.config.get("given", ())))
        self._must = objective_named(self._record.config["objective"]).required
        self._schemes: dict[str, Scheme] = {}
        self._lattice = Lattice(self._problems, self._ring, self._archive)
        self._bandit = Bandit(_USUAL_TURNS * self._steps(0))
        self._arms: dict[Pair, _Arm] = {}
        self._open_turn: _Turn | None = None
        self._others = 0, 0.0
        if "bandit" in checkpoint:
            self._bandit.restore(checkpoint["bandit"])
            self._arms = {(number, move): _Arm(*arm) for number, move, *arm in checkpoint["arms"]}
            if turn := checkpoint["open"]:
                number, move = turn["pair"]
                self._open_turn = _Turn(**{**turn, "pair": (number, move)})

    def _take_turns(self) -> None:
        while not self._over():
            if self._open_turn is None:
                self._open_turn = self._next_turn()
                if self._open_turn is None:
                    return
                self._commit("running")
            if not self._walk(self._open_turn):
                return  # in the middle of a turn, which goes on when the run is resumed
            self._turn += 1
            self._open_turn = None
            self._commit("running")

    def _next_turn(self) -> _Turn | None:
        """Return the next turn; None where nothing can be walked any more."""
        bounds: dict[Pair, int] = {}
        for number, member in enumerate(self._members):
            if not member.reached:
                bounds |= {(number, move): bound for move, bound in self._bounds(number).items()}
        bounds = {pair: bound for pair, bound in bounds.items() if not self._is_stuck(pair, bound)}
        if not bounds:
            return None
        sure = {
            pair: 1 - bound / self._best(pair[0])
            for pair, bound in bounds.items()
            if bound < self._best(pair[0]) and self._is_lower(pair, bound)
        }
        if sure:
            pair = max(sure, key=sure.__getitem__)
        else:
            pair = self._bandit.choose({pair: 1 / self._best(pair[0]) for pair in bounds}, self._generator(0))
        return self._turn_of(pair, bounds[pair])

    def _turn_of(self, pair: Pair, bound: int) -> _Turn:
        """Return a turn of a pair: begun anew where its move starts lower, or has gained nothing for long."""
        exact = self._is_lower(pair, bound)
        if exact:
            self._bandit.renew(pair)
        tired = pair in self._arms and self._arms[pair].turns >= _TURNS and pair[1] not in _ALONE
        afresh = exact or tired or pair[1] in _RELAXED
        arm = self._arms[pair] = _Arm(bound) if afresh else self._arms[pair]
        steps = self._steps(min(arm.turns, _TURNS - 1))
        if self._limits.flips is not None:
            steps = min(steps, self._limits.flips - self._flips)
        record = self._stored(pair)
        return _Turn(pair, (record.flips if record else 0) + steps, arm.bound, afresh, exact)

    def _is_lower(self, pair: Pair, bound: int) -> bool:
        """Tell whether a move can start lower than it ever did."""
        return pair not in self._arms or bound < self._arms[pair].bound

    def _bounds(self, number: int) -> dict[str, int]:
        problem = self._problems[number]
        bounds = dict(self._lattice.bounds(problem))
        if problem.name not in self._given:
            bounds[_FIRST] = self._lattice.standard_rank(problem)
        for move in _symmetric(problem):
            bounds[move] = self._lattice.standard_rank(problem)
            if shelves := self._kept((number, move)):
                bounds[f"relax-{move}"] = min(shelves)
        return bounds

    def _kept(self, pair: Pair) -> dict[int, list[str]]:
        """Return the IDs of what a pair keeps, by rank."""
        record = self._stored(pair)
        return kept(record) if record else {}

    def _walked(self, pair: Pair) -> Problem:
        """Return the problem that a pair walks in: the format, or the order of its sizes that has symmetric schemes."""
        problem = self._problems[pair[0]]
        return _palindrome(problem) if pair[1] in (*_GROUPS, *_RELAXED) else problem

    def _space(self, pair: Pair) -> FlipSpace | SymmetricSpace:
        """Return where a pair walks; the archive takes what it finds there like any other."""
        problem = self._walked(pair)
        if pair[1] in _GROUPS:
            return SymmetricSpace(problem, symmetry(_GROUPS[pair[1]], problem, self._ring), self._ring)
        return FlipSpace(problem, self._ring)

    def _is_stuck(self, pair: Pair, bound: int) -> bool:
        return pair in self._arms and self._arms[pair].stuck and not self._is_lower(pair, bound)

    def _walk(self, turn: _Turn) -> bool:
        """Walk a turn and note what came of it; tell whether it came to its end."""
        number, arm, best = turn.pair[0], self._arms[turn.pair], self._best(turn.pair[0])
        record = self._stored(turn.pair)
        before = record.flips if record else 0
        member = self._members[number]
        self._others = member.flips - before, member.seconds - (record.seconds if record else 0.0)
        limits = Limits(member.best_known, self._seconds_left(), turn.until)
        run = self._begun(turn, record, limits)
        if run is None:
            self._arms[turn.pair] = replace(arm, stuck=True)
            return True
        ended = run.go()
        steps = ended.flips - before
        self._harvest(turn.pair, ended)
        gained = max(0, min(best, turn.bound) - (ended.rank or best))
        # A flip of orbits moves so many products, and takes about as many times as long. A turn that ended early, for
        # want of ways on, counts as a whole one.
        told = steps if ended.state == "done" or self._over() else turn.until - before
        self._bandit.tell(turn.pair, gained=gained, steps=told * (ended.config["schedule"]["orbit"] or 1))
        if gained and turn.pair[1] in _RELAXED:
            self._bandit.tell((number, _RELAXED[turn.pair[1]]), gained=gained, steps=0)
        if self._over() and ended.flips < turn.until and ended.state != "done":
            return False
        self._arms[turn.pair] = replace(arm, turns=0 if gained else arm.turns + 1, stuck=steps == 0)
        return True

    def _begun(self, turn: _Turn, record: RunRecord | None, limits: Limits) -> Run | None:
        """Return the run of a pair, taken up where it stood or begun from new starts; None where there are none."""
        (number, move), root = turn.pair, self._record.config["seed"]
        space = self._space(turn.pair)
        starts: list[Entry] = []
        if turn.afresh:
            starts = self._starts(space, turn)
            if not starts:
                return None
            ids = {entry.scheme.id for entry in starts}
            # A turn that was cut short began with these already.
            if record and ids == {member["state"] for _, member in record.checkpoint["ladder"]["starts"]}:
                starts = []
        if record is None:
            # What a move makes leaves its start on short paths, or else on those of dives, which cost more.
            held = self._lattice.held(space.problem, move)
            moved = replace(self._schedule, alone=0, dive=0 if held else self._schedule.dive, held=held)
            schedule = fitted(self._schedule, space) if move in (*_ALONE, *_RELAXED) else moved
            seed = member_seed(root, number) if move == _FIRST else member_seed(root, number, MOVES.index(move))
            record = self._new(space, number, self._name(turn.pair), seed, schedule)
        run = self._run(space, number, record, limits, max(1, turn.until - record.flips))
        if starts:
            run.begin(starts)
            self._open_turn = replace(turn, afresh=False)
        else:
            run.resume()
        return run

    def _starts(self, space: FlipSpace | SymmetricSpace, turn: _Turn) -> list[Entry]:
        move = turn.pair[1]
        if move in _ALONE:
            return starts_of(space, (), self._store, self._record.config["seed"])
        if move in _RELAXED:
            return self._relaxed(turn.pair)
        return self._lattice.starts(
            space.problem, move, self._generator(1), self._scheme, run=self._record.id, exact=turn.exact
        )

    def _relaxed(self, pair: Pair) -> list[Entry]:
        """Draw from what a symmetric move keeps; the lowest with the symmetry do not always lead lowest without it."""
        shelves, generator = self._kept((pair[0], _RELAXED[pair[1]])), self._generator(1)
        weights = np.array([2.0 ** ((min(shelves) - rank) / _RANKS_HALVED) for rank in shelves])
        drawn = generator.choice([*shelves], size=_DRAWN, p=weights / weights.sum())
        pools = [shelves[int(rank)] for rank in drawn]
        names = dict.fromkeys(pool[int(generator.integers(len(pool)))] for pool in pools)
        return [unchanged(self._scheme(name)) for name in names]

    def _harvest(self, pair: Pair, ended: RunRecord) -> None:
        """Put what a run holds into the archive."""
        number, name = pair[0], self._problems[pair[0]].name
        pools = ended.checkpoint["ladder"]["pools"]
        held = [(int(rank), member) for rank, pool in pools.items() for member in pool["members"]]
        found = [(rank, member["state"]) for rank, member in held if not (self._must and member["value"])]
        if ended.rank is not None and ended.best is not None and not (self._must and ended.checkpoint["value"]):
            found.append((ended.rank, ended.best))
        self._take(self._walked(pair), found)
        member = self._members[number]
        best = self._archive.best(name) or (None, None)
        done = member.done or (best[0] is not None and member.best_known is not None and best[0] <= member.best_known)
        flips, seconds = self._others[0] + ended.flips, self._others[1] + ended.seconds
        self._put(number, replace(member, rank=best[0], scheme=best[1], flips=flips, seconds=seconds, done=done))

    def _settle(self) -> None:
        turn = self._open_turn
        record = self._stored(turn.pair) if turn else None
        met = record is not None and not (self._must and record.checkpoint["value"])
        if turn and record and met and record.rank is not None and record.best is not None:
            self._take(self._walked(turn.pair), [(record.rank, record.best)])

    def _take(self, problem: Problem, found: Sequence[tuple[int, str]]) -> None:
        self._archive.take(problem.name, found, self._generator(2))
        self._lattice.changed(problem)

    def _shown(self, member: Member, progress: Progress) -> Member:
        ranks = [rank for rank in (member.rank, progress.rank) if rank is not None]
        flips, seconds = self._others[0] + progress.flips, self._others[1] + progress.seconds
        return replace(member, rank=min(ranks), level=progress.level, flips=flips, seconds=seconds)

    def _checkpoint(self) -> dict[str, Any]:
        return {
            **super()._checkpoint(),
            "archive": self._archive.checkpoint(),
            "bandit": self._bandit.checkpoint(),
            "arms": [[*pair, arm.bound, arm.turns, arm.stuck] for pair, arm in self._arms.items()],
            "open": asdict(self._open_turn) if self._open_turn else None,
        }

    def _best(self, number: int) -> int:
        problem = self._problems[number]
        best = self._archive.best(problem.name)
        return best[0] if best else self._lattice.standard_rank(problem)

    def _stored(self, pair: Pair) -> RunRecord | None:
        """Return the record of a pair's run; None before it began."""
        try:
            record = self._store.run(self._name(pair))
        except NotFoundError:
            return None
        # A name that is not there may be the beginning of one that is.
        return record if record.id == self._name(pair) else None

    def _name(self, pair: Pair) -> str:
        number, move = pair
        return f"{self._record.id}.{number}" + ("" if move == _FIRST else f".{move}")

    def _scheme(self, identity: str) -> Scheme:
        if identity not in self._schemes:
            self._schemes[identity] = self._store.scheme(identity)
        return self._schemes[identity]

    def _generator(self, purpose: int) -> np.random.Generator:
        key = (self._record.config["seed"], purpose, self._turn)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def _symmetric(problem: Problem) -> tuple[str, ...]:
    """Return the moves that look for symmetric schemes of a format."""
    if problem.kind != "matmul" or not SymmetricSpace.holds(_palindrome(problem)):
        return ()
    return {1: ("cyclic",), 2: ("mirror", "turn"), 3: ()}[len(set(problem.dims))]


def _palindrome(problem: Problem) -> Problem:
    """Return the product with two equal sizes first and last, of a format that has two; else itself."""
    n, m, p = sorted(problem.dims)
    if n == m < p:
        return matmul(n, p, n)
    return matmul(p, n, p) if n < m == p else problem


def check_lattice(family: str, names: Sequence[str]) -> None:
    """Raise `InputError` where a search over formats cannot be made."""
    if not linked([parse_problem(name) for name in names]):
        count = f"its {len(names)} problems" if len(names) > 1 else "a single problem"
        raise InputError(f"{family}: no move leads from one format to another in {count}; leave --meta out")


def begin_meta(store: SqliteStore, record: RunRecord, ring: Ring, start: Sequence[str | Path]) -> RunRecord:
    """Return the record of a search over formats with what it begins with; schemes of files are stored.

    That is the catalogue where no schemes are given to start from, and nothing with `NOTHING`. Where the objective of
    the run is a must, only schemes that meet it are taken.

    Raises
    ------
    InputError
        No move leads from a scheme that is given, or it does not meet the objective.
    """
    objective = objective_named(record.config["objective"])
    entries: list[Entry] = []
    found: list[tuple[str, int, str]] = []
    if not start:
        rows = store.rows(Query(ring=ring.name, origin=OWN, order="rank,additions"))
        found = [(row["problem"], row["rank"], row["id"]) for row in rows if row["problem"].startswith(_KINDS)]
        if objective.required:
            found = _first_fit(found, objective, store, ring)
    elif tuple(start) != NOTHING:
        for item in named(start, store):
            problem = load(item, db=store).problem
            if not problem.name.startswith(_KINDS):
                raise InputError(f"{item}: a scheme of {problem}, from which no move leads; give one of a product")
            (entry,) = starts_of(FlipSpace(problem, ring), [item], store)
            if _fits(entry.scheme, objective, ring):
                entries.append(entry)
            elif item in start:
                raise InputError(f"{item}: does not lift to characteristic 0; leave it out, or --liftable")
        if not entries:
            raise InputError(f"{', '.join(map(str, start))}: keeps nothing that lifts to characteristic 0")
        found = [(entry.scheme.problem.name, entry.scheme.rank, entry.scheme.id) for entry in entries]
    archive = Archive({})
    for name, group in groupby(sorted(found, key=lambda each: each[0]), key=lambda each: each[0]):
        archive.take(name, [each[1:] for each in group], np.random.default_rng(0))
    shelves = archive.checkpoint()
    begun = {name: shelf[0][0] for name, shelf in sorted(shelves.items())}
    config = {**record.config, "meta": True, "start": [str(item) for item in start], "begun": begun}
    record = replace(record, config=config, checkpoint={"archive": shelves})
    store.commit(entries, record)
    return record


def _fits(scheme: Scheme, objective: Objective, ring: Ring) -> bool:
    """Tell whether a scheme meets the objective of a run, where that is a must."""
    space = FlipSpace(scheme.problem, ring)
    return not objective.required or objective.value(space, space.state(scheme)) == 0


def _first_fit(
    rows: Sequence[tuple[str, int, str]], objective: Objective, store: SqliteStore, ring: Ring
) -> list[tuple[str, int, str]]:
    """Return of each problem the first scheme that meets the objective, rows of lower ranks coming first."""
    found: dict[str, tuple[str, int, str]] = {}
    tried: Counter[str] = Counter()
    for name, rank, key in rows:
        if name not in found and tried[name] < _FITTED:
            tried[name] += 1
            if _fits(store.scheme(key), objective, ring):
                found[name] = (name, rank, key)
    return list(found.values())
