"""Placements: a matrix product put together from others that stand in parts of it.

Every change of format or of operand structure is one: the operands of a part are what the target's operands show at
the places of its rows, inner indices and columns, with zeros elsewhere, and what it computes is added to the target's
output at those places. Whether the parts give the target is decided exactly, coefficient by coefficient.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from flipforge.errors import InputError
from flipforge.problems import Problem, matrix_cells, parse
from flipforge.rings import Element, Q
from flipforge.schemes._scheme import Row, Scheme
from flipforge.schemes.transforms._reduce import reduced

__all__ = ["AS_GIVEN", "AXES", "AXIS_NAMES", "NOWHERE", "Order", "Part", "Placement", "Places"]

AXES = ((0, 1), (1, 2), (0, 2))
"""Which of the sizes n, m, p the left operand, the right operand and the output have."""
AXIS_NAMES = "nmp"
NOWHERE = -1
"""Place of an index that meets zeros."""

AS_GIVEN = (0, 1, 2)
Places = tuple[int, ...]
Order = tuple[int, int, int]
Index = tuple[int, int, int]


@dataclass(frozen=True)
class Part:
    """A product that stands somewhere in another.

    Attributes
    ----------
    problem
        What the part computes.
    at
        For each of n, m and p the place in the target of each index of the part; `NOWHERE` where it has none.
    order
        Which of the part's sizes comes first, second and third: the tensor of a matrix product allows every order,
        with operands, output and transposition changing roles. ``at`` counts in this order.
    """

    problem: Problem
    at: tuple[Places, Places, Places]
    order: Order = AS_GIVEN

    @property
    def dims(self) -> Order:
        """Sizes in the order given."""
        n, m, p = (self.problem.dims[i] for i in self.order)
        return n, m, p

    def inside(self, whole: "Part") -> "Part":
        """Return the part's place in the target of ``whole``, where ``whole`` is a part that this one is a part of."""
        n, m, p = (
            tuple(NOWHERE if place == NOWHERE else places[place] for place in self.at[axis])
            for axis, places in zip(whole.order, whole.at, strict=True)
        )
        first, second, third = (self.order[axis] for axis in whole.order)
        return Part(self.problem, (n, m, p), (first, second, third))

    def check(self, target: Problem) -> None:
        """Raise `InputError` where the places are not those of this part in the target."""
        if sorted(self.order) != list(AS_GIVEN):
            raise InputError(f"{self.problem}: {self.order} is not an order of its three sizes")
        for name, size, places, room in zip(AXIS_NAMES, self.dims, self.at, target.dims, strict=True):
            kept = [place for place in places if place != NOWHERE]
            if len(places) != size or len(set(kept)) < len(kept) or not all(0 <= place < room for place in kept):
                raise InputError(
                    f"{self.problem} in {target}: give {size} different places for {name}, from 0 to {room - 1}, "
                    f"or {NOWHERE} for none"
                )


@dataclass(frozen=True)
class _Map:
    """How one axis of the target depends on one axis of a part: triples (coordinate there, here, sign)."""

    source: int
    size: int
    entries: tuple[tuple[int, int, int], ...]

    def apply(self, row: Row) -> Row:
        image: list[Element] = [0] * self.size
        for new, old, sign in self.entries:
            image[new] += sign * row[old]
        return tuple(image)

    def images(self) -> Mapping[int, list[tuple[int, int]]]:
        """Return what becomes of each coordinate of the part."""
        images: dict[int, list[tuple[int, int]]] = {}
        for new, old, sign in self.entries:
            images.setdefault(old, []).append((new, sign))
        return images


@dataclass(frozen=True)
class Placement:
    """A transform: schemes of the parts give a scheme of the target.

    Attributes
    ----------
    name
        What the placement is for: project, merge, ...
    problem
        The target.
    complete
        Add the standard products for what the parts leave out or compute too much.
    """

    name: str
    problem: Problem
    parts: tuple[Part, ...]
    complete: bool = False

    def __post_init__(self) -> None:
        for part in self.parts:
            part.check(self.problem)

    @cached_property
    def _maps(self) -> tuple[tuple[_Map, ...], ...]:
        return tuple(_maps(part, self.problem) for part in self.parts)

    @property
    def sources(self) -> tuple[Problem, ...]:
        """Problems of the schemes that `apply` takes, in order."""
        return tuple(part.problem for part in self.parts)

    def rank_bound(self, *ranks: int) -> int:
        """Return the rank that the result has at most, in every ring, from the ranks of its sources."""
        return sum(ranks) + (len(self.rest) if self.complete else 0)

    def apply(self, *schemes: Scheme) -> Scheme:
        """Return the scheme of the target in canonical form, with products that agree in two factors merged.

        Raises
        ------
        InputError
            The schemes are not of the parts' problems or of one characteristic, or the parts do not give the target.
        """
        p = common_characteristic(self.name, self.sources, schemes)
        rest = {index: value for index, value in self.rest.items() if not p or value % p}
        if rest and not self.complete:
            raise InputError(f"{self.name}: {self._lack(*min(rest.items()))}")
        products: list[tuple[Row, ...]] = []
        for maps, scheme in zip(self._maps, schemes, strict=True):
            factors = (scheme.u, scheme.v, scheme.w)
            images = (map(along.apply, factors[along.source]) for along in maps)
            products += zip(*images, strict=True)
        products += (self._elementary(index, value) for index, value in sorted(rest.items()))
        base = schemes[0].ring if schemes and p else Q
        return Scheme(self.problem, base, *reduced(products, p), {"method": self.name}).canonical

    def arguments(self) -> dict[str, Any]:
        """Return JSON values from which, with the sources' names, `read` makes the placement again."""
        parts = [{"at": [list(places) for places in part.at], "order": list(part.order)} for part in self.parts]
        return {"problem": self.problem.name, "parts": parts, "complete": self.complete}

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, Any], sources: Sequence[Problem]) -> "Placement":
        """Make the placement again that wrote its `arguments`.

        Raises
        ------
        KeyError, TypeError, ValueError, InputError
            They are not of a placement.
        """
        parts = []
        for source, part in zip(sources, arguments["parts"], strict=True):
            (n, m, p), (first, second, third) = part["at"], part["order"]
            parts.append(Part(source, (tuple(n), tuple(m), tuple(p)), (first, second, third)))
        return cls(name, parse(arguments["problem"]), tuple(parts), bool(arguments["complete"]))

    @cached_property
    def rest(self) -> Mapping[Index, int]:
        """The target's tensor less what the parts compute, over the integers."""
        rest = dict(self.problem.entries)
        for part, maps in zip(self.parts, self._maps, strict=True):
            images = [along.images() for along in maps]
            for index, value in part.problem.entries:
                for hits in product(
                    *(image.get(index[along.source], ()) for image, along in zip(images, maps, strict=True))
                ):
                    (i, a), (j, b), (k, c) = hits
                    rest[i, j, k] = rest.get((i, j, k), 0) - value * a * b * c
        return {index: value for index, value in rest.items() if value}

    def _elementary(self, index: Index, value: int) -> tuple[Row, ...]:
        rows = [[0] * size for size in self.problem.shape]
        for row, place, entry in zip(rows, index, (1, 1, value), strict=True):
            row[place] = entry
        return tuple(map(tuple, rows))

    def _lack(self, index: Index, value: int) -> str:
        a, b, c = (names[place] for names, place in zip(self.problem.labels, index, strict=True))
        given = " and ".join(str(source) for source in self.sources) or "nothing"
        wanted = dict(self.problem.entries).get(index, 0)
        return (
            f"{given} does not give {self.problem}: the coefficient of {a}*{b} in {c} "
            f"would be {wanted - value}, not {wanted}; take other sizes, indices or structures"
        )


def common_characteristic(name: str, sources: Sequence[Problem], schemes: Sequence[Scheme]) -> int:
    """Return the characteristic of schemes that a transform takes, after a look at their problems.

    Raises
    ------
    InputError
        They are not of the problems wanted, or over fields that differ.
    """
    wanted, given = [str(source) for source in sources], [str(scheme.problem) for scheme in schemes]
    if wanted != given:
        raise InputError(f"{name}: takes schemes of {', '.join(wanted)}, not of {', '.join(given)}")
    found = {scheme.ring.characteristic: scheme.ring for scheme in schemes}
    if len(found) > 1:
        raise InputError(
            f"{name}: schemes over {' and '.join(map(str, found.values()))} do not go together; reduce one"
        )
    return next(iter(found), 0)


def _maps(part: Part, target: Problem) -> tuple[_Map, ...]:
    theirs, ours = matrix_cells(part.problem), matrix_cells(target)
    # An output without coefficients is one that was left out: nothing may come of it.
    wanted = {k for (_, _, k), _ in target.entries}
    maps = []
    for axis, pair in enumerate(AXES):
        first, second = (part.order[i] for i in pair)
        source = next(number for number, sizes in enumerate(AXES) if {first, second} == set(sizes))
        flipped = (first, second) != AXES[source]
        places = part.at[pair[0]], part.at[pair[1]]
        seen: set[int] = set()
        entries = []
        for cell, (old, sign) in theirs[source].items():
            i, j = cell[::-1] if flipped else cell
            hit = ours[axis].get((places[0][i], places[1][j]))
            # A coordinate stands for one entry, the first that meets one of the target's: others repeat it.
            mark = hit[0] if hit and axis == 2 else old
            if hit is None or mark in seen or (axis == 2 and hit[0] not in wanted):
                continue
            seen.add(mark)
            entries.append((hit[0], old, sign * hit[1]))
        maps.append(_Map(source, target.shape[axis], tuple(entries)))
    return tuple(maps)
