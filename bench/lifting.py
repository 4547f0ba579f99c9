"""CPU seconds of lifts to characteristic 0, and what they come to.

    python bench/lifting.py
    python bench/lifting.py --from scheme.json ... --attempts 60 --best

Every shipped matrix product over GF(2) and GF(3), or the scheme files given; those over Z or Q are reduced modulo 2
first, so that published ones can be measured. `flint` is the time that python-flint takes to factor the same Jacobian,
as a multiple of ours, where that is not too large to wait for.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flipforge.exact import factor
from flipforge.rings import GF2, Q
from flipforge.schemes import Scheme, magnitudes, standard_scheme
from flipforge.schemes.formats import read_file
from flipforge_lifting import HenselLifter, brent_jacobian

SHIPPED = Path(__file__).resolve().parent.parent / "schemes"
PATIENT = 1_500
"""Unknowns up to which the reference is measured: beyond, python-flint takes minutes modulo 2."""


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    result = call()
    return time.process_time() - begun, result


def ratio(scheme: Scheme) -> float | None:
    """Return how much longer python-flint takes for the Jacobian of a scheme."""
    p, jacobian = scheme.ring.characteristic, brent_jacobian(scheme)
    if jacobian.shape[1] > PATIENT:
        return None
    ours, _ = seconds(lambda: factor(jacobian, p))
    return seconds(lambda: factor(jacobian, p, backend="flint"))[0] / max(ours, 1e-4)


def report(path: Path, scheme: Scheme, attempts: int, best: bool) -> None:
    taken, lift = seconds(lambda: HenselLifter().lift(scheme, Q, attempts=attempts, best=best))
    numerator, denominator = ("-", "-") if lift.scheme is None else magnitudes(lift.scheme)
    times = ratio(scheme)
    print(
        f"{path.stem[:36]:36} {scheme.ring.name:4}{scheme.rank:5}  {lift.outcome:11}"
        f"{'-' if lift.scheme is None else lift.scheme.ring.name:8}{numerator!s:>5}{denominator!s:>6}"
        f"{lift.attempts:6}{lift.step:6}{taken:10.3f}{'-' if times is None else f'{times:.0f}x':>8}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--from", dest="files", nargs="*", type=Path, default=[], help="scheme files")
    parser.add_argument("--attempts", type=int, default=12, help="orders of the unknowns to try (12)")
    parser.add_argument("--best", action="store_true", help="try them all and take the smallest coefficients")
    arguments = parser.parse_args()
    HenselLifter().lift(standard_scheme(read_file(next(SHIPPED.glob("matmul-2x2x2*")))[0].problem, GF2))
    files = arguments.files or sorted(SHIPPED.glob("matmul-*_GF[23]_*.json"))
    print(
        f"{'scheme':36} {'ring':4}{'rank':>5}  {'outcome':11}{'over':8}{'num':>5}{'den':>6}{'tries':>6}{'step':>6}"
        f"{'seconds':>10}{'flint':>8}"
    )
    for path in files:
        for scheme in read_file(path):
            residues = scheme if scheme.ring.characteristic else scheme.over(GF2)
            report(path, residues.canonical, arguments.attempts, arguments.best)


if __name__ == "__main__":
    main()
