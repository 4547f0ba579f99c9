"""Systems that solvers are compared on, as documents that `parse_system` reads."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb
from typing import Any

from flipforge.errors import InputError

__all__ = ["cyclic", "katsura", "lines_on_cubic"]


def katsura(n: int) -> dict[str, Any]:
    """Return Katsura's system in n + 1 unknowns, with 2^n roots (Katsura 1990, magnetism).

    Examples
    --------
    >>> katsura(1)["polynomials"]
    ['x0 + 2*x1 - 1', 'x0**2 + 2*x1**2 - x0']
    """
    if n < 1:
        raise InputError("katsura: n is 1 or more")
    names = [f"x{i}" for i in range(n + 1)]
    equations = [" + ".join(names[:1] + [f"2*{x}" for x in names[1:]]) + " - 1"]
    for m in range(n):
        terms: dict[tuple[int, int], int] = {}
        for k in range(-n, n + 1):
            if abs(m - k) <= n:
                pair = min(abs(k), abs(m - k)), max(abs(k), abs(m - k))
                terms[pair] = terms.get(pair, 0) + 1
        texts = [_term(c, f"{names[i]}**2" if i == j else f"{names[i]}*{names[j]}") for (i, j), c in terms.items()]
        equations.append(" + ".join(sorted(texts, key=lambda t: ("2*" in t, t))) + f" - {names[m]}")
    return {"variables": names, "polynomials": equations}


def cyclic(n: int) -> dict[str, Any]:
    """Return the cyclic n-roots system (Bjoerck 1985).

    Examples
    --------
    >>> cyclic(2)["polynomials"]
    ['x0 + x1', 'x0*x1 - 1']
    """
    if n < 2:
        raise InputError("cyclic: n is 2 or more")
    names = [f"x{i}" for i in range(n)]
    sums = [" + ".join("*".join(names[(i + j) % n] for j in range(d)) for i in range(n)) for d in range(1, n)]
    return {"variables": names, "polynomials": [*sums, "*".join(names) + " - 1"]}


def lines_on_cubic(coefficients: Sequence[int]) -> dict[str, Any]:
    """Return the equations of the lines {(s, t, a s + b t, c s + d t)} on a cubic surface in projective space.

    Every line that does not meet the line where the first two coordinates vanish is one of these; a smooth cubic
    surface has 27 lines (Cayley, Salmon 1849), and a general one has all of them among these.

    Parameters
    ----------
    coefficients
        20 integers, those of the monomials of degree 3 in four variables in lexicographic order.

    Examples
    --------
    >>> fermat = [1, *[0] * 9, 1, *[0] * 5, 1, 0, 0, 1]
    >>> lines_on_cubic(fermat)["polynomials"][0]
    '1 + a**3 + c**3'
    """
    monomials = list(combinations_with_replacement(range(4), 3))
    if len(coefficients) != len(monomials):
        raise InputError(f"a cubic surface has {len(monomials)} coefficients; {len(coefficients)} are given")
    powers: list[list[str]] = [[] for _ in range(4)]
    for coefficient, chosen in zip(coefficients, monomials, strict=True):
        e = [chosen.count(j) for j in range(4)]
        if not coefficient:
            continue
        for p in range(e[2] + 1):
            for q in range(e[3] + 1):
                factors = [("a", e[2] - p), ("b", p), ("c", e[3] - q), ("d", q)]
                text = "*".join(name if k == 1 else f"{name}**{k}" for name, k in factors if k)
                powers[e[1] + p + q].append(_term(coefficient * comb(e[2], p) * comb(e[3], q), text))
    if not all(powers):
        raise InputError("the surface holds a whole family of these lines, or none; take other coefficients")
    return {"variables": ["a", "b", "c", "d"], "polynomials": [" + ".join(texts) for texts in powers]}


def _term(coefficient: int, text: str) -> str:
    return str(coefficient) if not text else text if coefficient == 1 else f"{coefficient}*{text}"
