"""Certificates that a scheme does not lift."""

from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate, check
from flipforge.errors import VerificationError
from flipforge.schemes import Scheme

__all__ = ["obstruction", "statement_of"]


def obstruction(scheme: Scheme, dual: npt.NDArray[np.int64]) -> Certificate:
    """Return the proof that a scheme over GF(p) has no lift to Z/p^2, from a dual vector of the first step.

    Raises
    ------
    VerificationError
        The vector proves nothing.
    """
    places = zip(*np.unravel_index(np.nonzero(dual)[0], scheme.problem.shape), dual[dual != 0], strict=True)
    witness = {"dual": [[int(x) for x in (*place, value)] for *place, value in places]}
    certificate = Certificate(
        "obstruction", statement_of(scheme), witness, "flipforge.obstruction/1", {"scheme": scheme.id}
    )
    verdict = check(certificate)
    if not verdict.valid:
        raise VerificationError(f"scheme {scheme.id}: the dual vector obstructs nothing ({verdict.reason})")
    return certificate


def statement_of(scheme: Scheme) -> dict[str, Any]:
    """Return what a certificate about a scheme over GF(p) states: problem, tensor and scheme."""
    problem = scheme.problem
    return {
        "problem": problem.name,
        "ring": scheme.ring.name,
        "rank": scheme.rank,
        "shape": list(problem.shape),
        "tensor": [[*index, value] for index, value in problem.entries],
        **{axis: [list(row) for row in getattr(scheme, axis)] for axis in "uvw"},
    }
