"""Identities: what searches for them begin with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from flipforge.api._library import Name, load_object
from flipforge.catalogue import SqliteStore
from flipforge.errors import InputError
from flipforge.problems import Problem
from flipforge.schemes.formats import is_there
from flipforge.search import Entry, IdentitySpace, Proven, Seed

if TYPE_CHECKING:
    from flipforge.polynomials import IdentityProblem

__all__ = ["identity_starts", "is_identity"]


def is_identity(problem: Problem) -> "TypeGuard[IdentityProblem]":
    """Tell whether a search of the problem is one for identities, without loading the algebra."""
    return problem.proof == "identity"


def identity_starts(space: IdentitySpace, start: Sequence[Name], store: SqliteStore) -> list[Entry]:
    """Return the identities to start from.

    Raises
    ------
    InputError
        One is no identity of this problem with cofactors of the least degree.
    """
    if not start:
        first = space.scheme(space.start(Seed(0)))
        return [Entry(first, "derived", source="linear algebra in the least degree")]
    entries = []
    for item in start:
        proven = load_object(item, db=store)
        if not isinstance(proven, Proven) or proven.problem != space.problem:
            raise InputError(f"{item}: an object of {proven.problem}, the search is for {space.problem}")
        settled = space.scheme(space.state(proven))
        imported = is_there(Path(item)) or proven.provenance.get("origin") == "imported"
        entries.append(Entry(settled, "imported" if imported else "derived", source=str(item)))
    return entries
