"""The lifter: attempts along several orders of the unknowns, and the choice among what they give."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

from flipforge.errors import InputError, ReplayError
from flipforge.rings import GF2, RINGS, ZT, Q, Ring
from flipforge.schemes import Scheme, costs, magnitudes
from flipforge.search import Lift
from flipforge_lifting._hensel import Hensel, Reached
from flipforge_lifting._obstructed import obstruction
from flipforge_lifting._orders import order
from flipforge_lifting._rescale import rescaled
from flipforge_lifting._signs import Signs, has_signs, signed, signs

__all__ = ["HenselLifter"]

_BITS = 20
"""Lifts that come to an end do so before p^k has so many bits, nearly always; another order is the better try."""
_QUICK_ATTEMPTS = 3
_ORDERS, _ENTRIES = 8, 2**31
"""Orders of the unknowns that an attempt after the first compares, and entries of all their Jacobians together."""
_INCLUSION = [name for name, ring in RINGS.items() if not ring.characteristic]


@dataclass(frozen=True)
class HenselLifter:
    """Lifts schemes over GF(p) by Hensel steps; see `flipforge.search.Lifter`.

    Attributes
    ----------
    bits
        An attempt ends when p^k has more bits than this; there is no limit to it but time.
    """

    bits: int = _BITS
    version = "hensel/1"

    def liftable(self, scheme: Scheme, to: Ring = Q) -> bool:
        """Tell whether one of a few attempts lifts the scheme to the ring, or to a smaller one; no proof is made."""
        if to == ZT and scheme.ring == GF2 and scheme.problem.inner is None:
            found = has_signs(scheme)
            if found is not None:
                return found
        return self.lift(scheme, to, attempts=_QUICK_ATTEMPTS).outcome == "lifted"

    def lift(self, scheme: Scheme, to: Ring = Q, *, attempts: int = 12, seed: int = 0, best: bool = False) -> Lift:
        """Lift a scheme; where a ternary lift of one over GF(2) is asked for, or the best, signs are looked for first.

        Raises
        ------
        InputError
            The ring is not of characteristic 0, there is no attempt, or the scheme is not a bilinear one over GF(p).

        Examples
        --------
        >>> from flipforge.problems import parse
        >>> from flipforge.rings import GF2
        >>> from flipforge.schemes import standard_scheme
        >>> HenselLifter().lift(standard_scheme(parse("matmul:2x2x2"), GF2)).scheme.ring.name
        'ZT'
        """
        if to.characteristic:
            raise InputError(f"{to} is not of characteristic 0: lift to ZT, Z, Z[1/2] or Q")
        if attempts < 1:
            raise InputError(f"{attempts} attempts: give at least 1")
        hensel = Hensel(scheme)
        ternary = signs(scheme) if scheme.ring == GF2 and (best or to == ZT) else Signs()
        if ternary.negative is not None:
            return Lift(
                "lifted", signed(scheme, ternary.negative), attempts=1, arguments={"negative": list(ternary.negative)}
            )
        if ternary.obstruction is not None and to == ZT:
            return Lift("obstructed", obstruction=ternary.obstruction, attempts=1, reason=ternary.reason)
        chosen: tuple[Scheme, int, int] | None = None
        farthest = made = 0
        for attempt in range(attempts):
            made += 1
            reached = self._attempt(hensel, seed, attempt, _width(hensel, attempt))
            if reached.dual is not None:
                proof = obstruction(hensel.scheme, reached.dual)
                return Lift("obstructed", obstruction=proof, attempts=made, reason=f"no lift modulo {hensel.p**2}")
            farthest = max(farthest, reached.step)
            if reached.scheme is None:
                continue
            lifted = rescaled(reached.scheme, hensel.p)
            if chosen is None or _size(lifted) < _size(chosen[0]):
                chosen = lifted, attempt, reached.step
            if _inside(lifted, to) and (not best or lifted.ring.name == "ZT"):
                break
        if chosen is not None and _inside(chosen[0], to):
            chosen[0].certify()
            arguments = {"attempt": chosen[1], "seed": seed, "bits": self.bits}
            arguments |= {"orders": _width(hensel, chosen[1]), "rescaled": True}
            return Lift("lifted", chosen[0], attempts=made, step=chosen[2], arguments=arguments)
        reason = f"{made} attempts, the farthest came to {hensel.p}^{farthest}"
        if chosen is not None:
            reason = f"{_described(chosen[0])}; none over {to} among {made} attempts"
        if ternary.reason and to == ZT:
            reason += f"; {ternary.reason}"
        return Lift("open", attempts=made, step=farthest, reason=reason)

    def again(self, scheme: Scheme, arguments: Mapping[str, Any]) -> Scheme:
        """Make a lift again from its `Lift.arguments`.

        Raises
        ------
        ReplayError
            They lead to no lift.
        """
        if "negative" in arguments:
            return signed(scheme, arguments["negative"])
        lifter = HenselLifter(arguments["bits"])
        # Lifts of version 0.1 went along one order in each attempt, and were not rescaled.
        hensel, width = Hensel(scheme), arguments.get("orders", 1)
        reached = lifter._attempt(hensel, arguments["seed"], arguments["attempt"], width)
        if reached.scheme is None:
            raise ReplayError(f"attempt {arguments['attempt']} leads to no lift of {scheme.id}")
        return rescaled(reached.scheme, hensel.p) if arguments.get("rescaled") else reached.scheme

    def _attempt(self, hensel: Hensel, seed: int, attempt: int, width: int) -> Reached:
        numbers = range(attempt * width, (attempt + 1) * width)
        return hensel.climb([order(hensel.start, seed, number) for number in numbers], int(self.bits / log2(hensel.p)))


def _width(hensel: Hensel, attempt: int) -> int:
    """Return how many orders an attempt compares: one in the first, which is the quick one."""
    size = hensel.equations.count * hensel.equations.unknowns
    return min(_ORDERS, max(2, _ENTRIES // size)) if attempt else 1


def _inside(scheme: Scheme, ring: Ring) -> bool:
    return _INCLUSION.index(scheme.ring.name) <= _INCLUSION.index(ring.name)


def _size(scheme: Scheme) -> tuple[int, int, int, int]:
    """Order lifts by ring, then by the largest denominator and numerator, then by nonzero coefficients."""
    numerator, denominator = magnitudes(scheme)
    return _INCLUSION.index(scheme.ring.name), denominator, numerator, costs(scheme).nonzeros


def _described(scheme: Scheme) -> str:
    entries = {x for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row}
    denominators = sorted({x.denominator for x in entries} - {1})
    if denominators:
        return f"there is a lift over {scheme.ring} with the denominators {', '.join(map(str, denominators))}"
    return f"there is a lift over {scheme.ring} with coefficients up to {magnitudes(scheme)[0]}"
