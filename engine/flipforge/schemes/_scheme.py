"""The frozen scheme, its canonical form and its identity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from math import gcd, lcm
from typing import Any, TypeVar

from flipforge.certificates import Certificate, Verdict, border_defect, brent_defect
from flipforge.errors import MalformedError, RingError, VerificationError
from flipforge.problems import LayerProblem, Problem
from flipforge.rings import MAX_DIGITS, Element, Ring, brief, is_too_long, smallest_ring

__all__ = ["ID_LENGTH", "Row", "Rows", "Scheme", "json_rows", "primitive"]

Row = tuple[Element, ...]
Rows = tuple[Row, ...]
T = TypeVar("T")

ID_LENGTH = 12
"""Hex digits of an ID."""


@dataclass(frozen=True)
class Scheme:
    """A scheme T = sum_q u_q (x) v_q (x) w_q over a ring: bilinear, commutative or approximate, as its problem is.

    Building one checks shapes and that every entry is an element of the ring; it does not prove the equations.
    `certify` does.

    Attributes
    ----------
    u, v, w
        r rows each, of ``problem.widths`` entries. Rows of an approximate scheme hold the coefficients of its
        polynomials side by side, ``order + 1`` for each coordinate, that of eps^0 first.
    provenance
        JSON values that tell where the scheme comes from; not part of its identity.

    Raises
    ------
    MalformedError
        Row counts or lengths disagree, or an entry is not in the ring.
    RingError
        The scheme is approximate, and the tensor is zero over the ring.
    """

    problem: Problem
    ring: Ring
    u: Rows = field(repr=False)
    v: Rows = field(repr=False)
    w: Rows = field(repr=False)
    provenance: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.problem, LayerProblem):
            raise MalformedError(f"{self.problem} has layer programs, no schemes")
        for axis, size in zip("uvw", self.problem.widths, strict=True):
            rows = tuple(tuple(row) for row in getattr(self, axis))
            if len(rows) != len(self.u):
                raise MalformedError(f"{axis} has {len(rows)} rows and u has {len(self.u)}: give as many")
            for number, row in enumerate(rows):
                if len(row) != size:
                    raise MalformedError(f"{axis}[{number}] has {len(row)} entries; {self.problem} needs {size}")
            try:
                coerced = tuple(map(self.ring.coerce_row, rows))
            except RingError as error:
                raise MalformedError(f"{axis}: {error}") from None
            object.__setattr__(self, axis, coerced)
        p = self.ring.characteristic
        if self.problem.order and p and not any(value % p for _, value in self.problem.entries):
            raise RingError(f"{self.problem}: the tensor is zero over {self.ring}; there is nothing to approximate")

    @property
    def rank(self) -> int:
        """Number of products."""
        return len(self.u)

    @property
    def checker(self) -> str:
        """Name and version of the check that proves it."""
        return f"flipforge.{self.problem.proof}/1"

    @cached_property
    def canonical(self) -> "Scheme":
        """The representative of this scheme under permutation of products and rescaling of factors.

        Products are sorted; u and v are primitive with first nonzero entry positive (1 in GF(p)) and w carries the
        scalar; the ring is the smallest that holds the result. A product with a zero factor becomes the zero product
        and is kept. Of a commutative scheme, u is the lesser of the two factors of a product. Of an approximate one,
        constants move to w and polynomials stay where they are.

        Raises
        ------
        MalformedError
            A coefficient of it has more than `MAX_DIGITS` digits, which no file may hold.
        """
        normal = (_normal_product(self.ring, *factors) for factors in zip(self.u, self.v, self.w, strict=True))
        products = sorted((min(u, v), max(u, v), w) if self.problem.commutes else (u, v, w) for u, v, w in normal)
        u, v, w = (tuple(p[axis] for p in products) for axis in range(3))
        entries = {x for rows in (u, v, w) for row in rows for x in row}
        if any(map(is_too_long, entries)):
            raise MalformedError(f"a coefficient of the canonical form has more than {MAX_DIGITS} digits")
        ring = self.ring if self.ring.characteristic else smallest_ring(entries)
        form = Scheme(self.problem, ring, u, v, w, self.provenance)
        form.__dict__["canonical"] = form
        return form

    @cached_property
    def digest(self) -> str:
        """All 64 hex digits of the hash over problem, ring and canonical factors."""
        form = self.canonical
        text = [f"{form.problem}\n{form.ring}\n"]
        text += (
            "|".join(",".join(map(str, row)) for row in factors) + "\n"
            for factors in zip(form.u, form.v, form.w, strict=True)
        )
        return sha256("".join(text).encode()).hexdigest()

    @property
    def id(self) -> str:
        """First 12 hex digits of `digest`."""
        return self.digest[:ID_LENGTH]

    def verdict(self) -> Verdict:
        """Decide the scheme's equations exactly over its own ring."""
        tensor, order, p = self.problem.tensor, self.problem.order, self.ring.characteristic
        power = ""
        if order:
            u, v, w = (polynomials(rows, order) for rows in (self.u, self.v, self.w))
            found_wrong = border_defect(tensor, order, u, v, w, p)
            defect = found_wrong and found_wrong[1:]
            power = f"eps^{found_wrong[0]}*" if found_wrong else ""
        else:
            defect = brent_defect(tensor, self.u, self.v, self.w, p, commuting=self.problem.commutes)
        if defect is None:
            return Verdict("PROVED")
        (i, j, k), wanted, found = defect
        a, b, c = (names[x] for names, x in zip(self.problem.labels, (i, j, k), strict=True))
        values = f"is {brief(found)}, {self.problem} wants {brief(wanted)} over {self.ring}"
        return Verdict("REFUTED", f"the coefficient of {power}{a}*{b} in {c} {values}")

    def certify(self) -> Certificate:
        """Return the proof of this scheme.

        Raises
        ------
        VerificationError
            An equation fails.
        """
        verdict = self.verdict()
        if not verdict.valid:
            raise VerificationError(f"scheme of rank {self.rank}: {verdict.reason}")
        problem = self.problem
        statement: dict[str, Any] = {
            "problem": problem.name,
            "ring": self.ring.name,
            "rank": self.rank,
            "shape": list(problem.shape),
            "tensor": [[*index, value] for index, value in problem.entries],
        }
        if problem.order:
            statement["order"] = problem.order
        witness = {axis: json_rows(getattr(self, axis), problem.order) for axis in "uvw"}
        return Certificate(problem.proof, statement, witness, self.checker, {"scheme": self.id})

    def over(self, ring: Ring) -> "Scheme":
        """Return the scheme with its entries mapped into another ring: modulo p, or under another name.

        Raises
        ------
        RingError
            An entry has no image, or the scheme lives over another GF(p).
        """
        if self.ring == ring:
            return self
        if self.ring.characteristic:
            raise RingError(f"a scheme over {self.ring} has no image over {ring}; lift it instead")
        u, v, w = (tuple(tuple(map(ring.reduce, row)) for row in rows) for rows in (self.u, self.v, self.w))
        return replace(self, ring=ring, u=u, v=v, w=w)


def polynomials(rows: Sequence[Sequence[T]], order: int) -> list[list[Sequence[T]]]:
    """Cut flat rows into polynomials of ``order + 1`` coefficients."""
    step = order + 1
    return [[row[i : i + step] for i in range(0, len(row), step)] for row in rows]


def json_rows(rows: Sequence[Sequence[Element]], order: int = 0) -> list[list[Any]]:
    """Write rows with integers as they are, fractions as ``"p/q"``, polynomials as lists of coefficients."""
    written = [[x if isinstance(x, int) else str(x) for x in row] for row in rows]
    return polynomials(written, order) if order else written


def _normal_product(ring: Ring, u: Row, v: Row, w: Row) -> tuple[Row, Row, Row]:
    if not (any(u) and any(v) and any(w)):
        return tuple(0 for _ in u), tuple(0 for _ in v), tuple(0 for _ in w)
    p = ring.characteristic
    if p:
        scalar = 1
        normal = []
        for row in (u, v):
            lead = int(next(x for x in row if x))
            inverse = pow(lead, -1, p)
            normal.append(tuple(int(x) * inverse % p for x in row))
            scalar = scalar * lead % p
        return normal[0], normal[1], tuple(int(x) * scalar % p for x in w)
    content_u, primitive_u = primitive(u)
    content_v, primitive_v = primitive(v)
    scale = content_u * content_v
    return primitive_u, primitive_v, tuple(_plain(x * scale) for x in w)


def primitive(row: Row) -> tuple[Fraction, tuple[int, ...]]:
    """Return (c, q) with row = c * q, q integer of content 1, first nonzero entry positive."""
    denominator = lcm(*(Fraction(x).denominator for x in row))
    integers = [int(x * denominator) for x in row]
    content = gcd(*integers) * (1 if next(x for x in integers if x) > 0 else -1)
    return Fraction(content, denominator), tuple(x // content for x in integers)


def _plain(value: Fraction) -> Element:
    return value.numerator if value.denominator == 1 else value
