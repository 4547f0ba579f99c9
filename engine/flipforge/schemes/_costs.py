"""What a scheme costs, read off its coefficients."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from flipforge.errors import RingError
from flipforge.problems import standard_omega
from flipforge.rings import Element
from flipforge.schemes._scheme import Row, Scheme

__all__ = ["Costs", "costs", "growth", "magnitudes", "output_columns"]


@dataclass(frozen=True)
class Costs:
    """Counts of a scheme as written.

    Attributes
    ----------
    rank
        Number of products.
    additions
        Additions and subtractions without sharing: each sum of n terms costs n - 1, over the factors of all products
        and the outputs. Each power of eps is a term of its own.
    nonzeros
        Nonzero coefficients of u, v and w together.
    omega
        Exponent the rank gives for square matrix multiplication, None where that makes no sense.
    """

    rank: int
    additions: int
    nonzeros: int
    omega: float | None

    def as_dict(self) -> dict[str, int | float | None]:
        """Return the counts as a JSON object."""
        return asdict(self)


def costs(scheme: Scheme) -> Costs:
    """Count rank, additions as written, nonzeros and omega.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> costs(standard_scheme(parse("matmul:2x2x2"), ZT)).additions
    4
    """
    outputs = output_columns(scheme)
    additions = _additions(scheme.u) + _additions(scheme.v) + _additions(outputs)
    nonzeros = sum(1 for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row if x)
    return Costs(scheme.rank, additions, nonzeros, standard_omega(scheme.problem, scheme.rank))


def growth(scheme: Scheme) -> Element:
    """Return the growth factor: the largest sum over the products q of ``|w_qk| |u_q|_1 |v_q|_1`` of an output k.

    Rounding errors of the scheme, applied recursively, grow at most by this factor a level; it is 12 for Strassen's
    scheme and 18 for Winograd's (Bini and Lotti, "Stability of fast algorithms for matrix multiplication", 1980;
    Ballard, Benson, Druinsky, Lipshitz and Schwartz, arXiv 1507.00687, section 3).

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import Z
    >>> from flipforge.schemes import standard_scheme
    >>> growth(standard_scheme(parse("matmul:2x3x2"), Z))
    3
    """
    if scheme.ring.characteristic:
        raise RingError(f"a scheme over {scheme.ring} has no growth factor: residues have no size")
    sizes = [_length(u) * _length(v) for u, v in zip(scheme.u, scheme.v, strict=True)]
    columns = zip(*scheme.w, strict=True)
    sums: list[Element] = [_length([x * size for x, size in zip(column, sizes, strict=True)]) for column in columns]
    return max(sums, default=0)


def magnitudes(scheme: Scheme) -> tuple[int, int]:
    """Return the largest numerator, by absolute value, and the largest denominator of the coefficients.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> magnitudes(standard_scheme(parse("matmul:1x1x1"), ZT))
    (1, 1)
    """
    entries = {x for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row}
    return max((abs(x.numerator) for x in entries), default=0), max((x.denominator for x in entries), default=1)


def output_columns(scheme: Scheme) -> list[Row]:
    """Return for each output the coefficients of the products in it, those of one product side by side."""
    step = scheme.problem.order + 1
    return [tuple(x for row in scheme.w for x in row[k : k + step]) for k in range(0, scheme.problem.widths[2], step)]


def _additions(sums: Sequence[Sequence[Element]]) -> int:
    return sum(max(0, sum(1 for x in row if x) - 1) for row in sums)


def _length(row: Sequence[Element]) -> Element:
    return sum(x if x > 0 else -x for x in row)
