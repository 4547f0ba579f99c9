"""Ternary lifts of schemes over GF(2): signs for the nonzero entries, or a proof that there are none.

Parity first: the number of negative terms in each equation is known modulo 2, which is linear in the sign bits. Where
that has a solution, a SAT solver (the extra ``sat``) decides; its proof is checked by `flipforge.certificates`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flipforge.certificates import Certificate, check, sign_clauses, sign_equations, sign_places
from flipforge.errors import VerificationError
from flipforge.exact import Sparse, solve
from flipforge.rings import ZT
from flipforge.schemes import Scheme
from flipforge_lifting._obstructed import statement_of

__all__ = ["Signs", "has_signs", "signed", "signs"]

_CONFLICTS = 100_000
_FEW_CONFLICTS = 2_000
"""Most schemes with signs show them within some hundred."""
_PROOF_CLAUSES = 20_000
"""A longer proof is not kept: to check it takes minutes."""


@dataclass(frozen=True)
class Signs:
    """What came of looking for signs: the negative entries, or a proof that there are none, or neither and why.

    ``negative`` holds places among the nonzero entries of u, v and w of the canonical scheme, in this order, from 1 on.
    """

    negative: tuple[int, ...] | None = None
    obstruction: Certificate | None = None
    reason: str = ""


def signs(scheme: Scheme) -> Signs:
    """Decide whether a scheme over GF(2) lifts to {-1, 0, 1}.

    Raises
    ------
    VerificationError
        A proof does not hold, which is a defect.
    """
    scheme = scheme.canonical
    odd = _odd(scheme)
    if odd is not None:
        return _proven(scheme, {"parity": odd})
    return _searched(scheme)


def has_signs(scheme: Scheme) -> bool | None:
    """Tell whether parity and a SAT solver find a ternary lift within few conflicts; None where there is no solver."""
    scheme = scheme.canonical
    if _odd(scheme) is not None:
        return False
    clauses = sign_clauses(scheme.problem.tensor, *_rows(scheme))
    if [] in clauses:
        return False
    glucose = _glucose()
    if glucose is None:
        return None
    with glucose(bootstrap_with=clauses) as solver:
        solver.conf_budget(_FEW_CONFLICTS)
        return bool(solver.solve_limited())


def signed(scheme: Scheme, negative: Sequence[int]) -> Scheme:
    """Return the ternary scheme with these negative entries.

    Raises
    ------
    VerificationError
        It is none.
    """
    scheme = scheme.canonical
    factors, chosen = _rows(scheme), set(negative)
    entries = {place: -1 if number in chosen else 1 for place, number in sign_places(*factors).items()}
    u, v, w = (
        tuple(tuple(entries.get((axis, q, i), 0) for i in range(len(row))) for q, row in enumerate(rows))
        for axis, rows in enumerate(factors)
    )
    lifted = Scheme(scheme.problem, ZT, u, v, w).canonical
    lifted.certify()
    return lifted


def _odd(scheme: Scheme) -> list[list[int]] | None:
    """Return the indices of equations whose parities contradict each other; None where there are none."""
    factors = _rows(scheme)
    places, equations = sign_places(*factors), sign_equations(scheme.problem.tensor, *factors)
    indices, rows, columns, right = [*equations], [], [], []
    for row, (index, (terms, wanted)) in enumerate(equations.items()):
        entries = [places[axis, q, i] - 1 for q in terms for axis, i in enumerate(index)]
        rows += [row] * len(entries)
        columns += entries
        right.append(wanted % 2)
    matrix = Sparse((len(indices), len(places)), rows, columns, np.ones(len(rows), dtype=np.int64))
    dual = solve(matrix, right, 2).dual
    return None if dual is None else [list(indices[row]) for row in np.nonzero(dual)[0]]


def _searched(scheme: Scheme) -> Signs:
    factors = _rows(scheme)
    entries, clauses = len(sign_places(*factors)), sign_clauses(scheme.problem.tensor, *factors)
    if [] in clauses:
        return _proven(scheme, {"clauses": []})
    glucose = _glucose()
    if glucose is None:
        return Signs(reason="parity allows a ternary lift; a SAT solver decides: pip install 'flipforge[sat]'")
    with glucose(bootstrap_with=clauses, with_proof=True) as solver:
        solver.conf_budget(_CONFLICTS)
        answer = solver.solve_limited()
        if answer:
            return Signs(tuple(literal for literal in solver.get_model() if 0 < literal <= entries))
        lines: Sequence[str] = solver.get_proof() if answer is False else ()
    if answer is None:
        return Signs(reason=f"the SAT solver found no ternary lift within {_CONFLICTS} conflicts, nor a proof")
    proof = [[int(word) for word in line.split()[:-1]] for line in lines if not line.startswith("d")]
    # A solver that sees the contradiction among the clauses it is given writes nothing.
    proof += [] if proof and not proof[-1] else [[]]
    if len(proof) > _PROOF_CLAUSES:
        return Signs(reason=f"the SAT solver says that there is no ternary lift, by a proof of {len(proof)} clauses")
    return _proven(scheme, {"clauses": proof})


def _glucose() -> Any:
    """Return the class of the SAT solver; None where the extra is not installed."""
    try:
        from pysat.solvers import Glucose4
    except ImportError:
        return None
    return Glucose4


def _proven(scheme: Scheme, witness: dict[str, Any]) -> Signs:
    certificate = Certificate("signs", statement_of(scheme), witness, "flipforge.signs/1", {"scheme": scheme.id})
    verdict = check(certificate)
    if not verdict.valid:
        raise VerificationError(f"scheme {scheme.id}: the proof that no signs will do does not hold ({verdict.reason})")
    return Signs(obstruction=certificate, reason=verdict.reason)


def _rows(scheme: Scheme) -> tuple[Any, Any, Any]:
    return scheme.u, scheme.v, scheme.w
