"""Lifts of single schemes over GF(p) to characteristic 0."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flipforge.api._library import Db, Name, load, open_store
from flipforge.api._terms import lifter
from flipforge.catalogue import SqliteStore
from flipforge.rings import ring as ring_named
from flipforge.schemes import Scheme, costs, growth, magnitudes, recursive_calls
from flipforge.schemes.formats import certificate_document, is_there, write_certificate, write_file
from flipforge.search import Entry, Lift, Lifter, lifted

__all__ = ["ATTEMPTS", "LiftResult", "keep", "lift"]

ATTEMPTS = 12
"""How many ways are tried unless more are asked for."""


@dataclass(frozen=True)
class LiftResult:
    """What came of lifting a scheme; `as_dict` is the JSON of the contract.

    Attributes
    ----------
    source
        The scheme over GF(p).
    lift
        Outcome, and the scheme or the proof that there is none.
    file
        Where the lift or the proof was written; None where the catalogue keeps it.
    """

    source: Scheme
    lift: Lift
    file: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract."""
        lift, scheme = self.lift, self.lift.scheme
        numerator, denominator = (None, None) if scheme is None else magnitudes(scheme)
        calls = None if scheme is None else recursive_calls(scheme)
        return {
            "source": self.source.id,
            "problem": self.source.problem.name,
            "rank": self.source.rank,
            "lifted": lift.outcome == "lifted",
            "outcome": lift.outcome,
            "ring": scheme and scheme.ring.name,
            "max_numerator": numerator,
            "max_denominator": denominator,
            "id": scheme and scheme.id,
            "file": None if self.file is None else str(self.file),
            "obstruction": None if lift.obstruction is None else certificate_document(lift.obstruction),
            "additions": None if scheme is None else costs(scheme).additions,
            "growth": None if scheme is None else str(growth(scheme)),
            "calls": None if calls is None else str(calls),
            "attempts": lift.attempts,
            "step": lift.step,
            "reason": lift.reason,
        }


def lift(
    name: Name,
    *,
    to: str = "Q",
    out: str | Path | None = None,
    attempts: int = ATTEMPTS,
    best: bool = False,
    seed: int = 0,
    problem: str | None = None,
    ring: str | None = None,
    db: Db = None,
) -> LiftResult:
    """Lift a scheme over GF(p) to the integers or rationals, or prove that it has no lift.

    Parameters
    ----------
    name
        ID or file.
    to
        ``ZT``, ``Z``, ``Z[1/2]`` or ``Q``: the largest ring that will do. The lift is stated over the smallest ring
        that carries it.
    out
        File for the lift, or for the certificate where there is provably none; the catalogue then stays as it is.
        Otherwise the catalogue keeps the lift with its lineage, or the certificate with its scheme.
    attempts
        How many ways are tried at most.
    best
        Try all of them, and take the smallest ring and coefficients; otherwise the first lift is taken.
    seed
        Root of all random choices.

    Raises
    ------
    InputError
        The scheme is not a bilinear one over GF(p), the ring is not of characteristic 0, or no lifter is installed.
    VerificationError
        The scheme does not hold over its own ring.

    Examples
    --------
    >>> import flipforge
    >>> flipforge.lift("41e83640badb").lift.scheme.ring.name  # doctest: +SKIP
    'ZT'
    """
    target, worker = ring_named(to), lifter()
    with open_store(db) as store:
        scheme = load(name, problem=problem, ring=ring, db=store).canonical
        result = worker.lift(scheme, target, attempts=attempts, seed=seed, best=best)
        if out is not None:
            return LiftResult(scheme, result, _written(scheme, result, Path(out)))
        if is_there(Path(name)) and result.outcome != "open":
            store.commit([Entry(scheme, "imported", source=str(name))])
        keep(store, scheme, result, worker)
    return LiftResult(scheme, result)


def keep(store: SqliteStore, scheme: Scheme, result: Lift, worker: Lifter) -> None:
    """Keep what came of lifting a stored scheme; the lift of an imported one is marked as imported."""
    if result.scheme is not None:
        imported = store.row(scheme.id)["origin"] == "imported"
        store.commit([lifted(scheme, result, worker, "imported" if imported else "derived")])
    if result.obstruction is not None:
        store.attach(result.obstruction)


def _written(scheme: Scheme, lift: Lift, path: Path) -> Path | None:
    if lift.scheme is not None:
        write_file(replace(lift.scheme, provenance={"lifted_from": scheme.id, **lift.arguments}), "flipforge", path)
    elif lift.obstruction is not None:
        write_certificate(lift.obstruction, path)
    else:
        return None
    return path
