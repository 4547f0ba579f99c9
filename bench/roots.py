"""Certified roots: time to find and to check them, side by side in one run.

python bench/roots.py [--quick]
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from flipforge.certificates import Certificate, check
from flipforge.polynomials import (
    CertifiedRoot,
    RootSet,
    certify_all,
    certify_root,
    cyclic,
    katsura,
    lines_on_cubic,
    parse_system,
)

SINGULAR: dict[str, dict[str, Any]] = {
    "Griewank-Osborne, 3-fold": {"polynomials": ["Rational(29,16)*x**3 - 2*x*y", "y - x**2"], "root": ["0", "0"]},
    "cbms1, 11-fold": {"polynomials": ["x**3 - y*z", "y**3 - x*z", "z**3 - x*y"], "root": ["0", "0", "0"]},
    "KSS, 16-fold": {
        "polynomials": [f"x{i}**2 - 2*x{i} + x1 + x2 + x3 + x4 + x5 - 4" for i in range(1, 6)],
        "root": ["1"] * 5,
    },
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="only small systems")
    quick = options.parse_args().quick
    draw = random.Random(1)
    print(f"{'system':26} {'find':>7} {'check':>7} {'ratio':>6}  verdict")
    for name, document in SINGULAR.items():
        if quick and "KSS" in name:
            continue
        start = [repr(float(x) + draw.uniform(-1e-3, 1e-3)) for x in document["root"]]
        system = parse_system({**document, "root": start})
        report(name, partial(certify_root, system))
    draw = random.Random(1)
    cubic = lines_on_cubic([draw.randint(-3, 3) for _ in range(20)])
    classical = {"katsura-3": katsura(3)} if quick else {"katsura-6": katsura(6), "cyclic-5": cyclic(5), "lines": cubic}
    for name, document in classical.items():
        report(name, partial(certify_all, parse_system(document)))


def report(name: str, find: Callable[[], CertifiedRoot | RootSet]) -> None:
    """Print the CPU seconds of the search and of the check, and their ratio."""
    begin = time.process_time()
    certificate = find().certificate
    assert certificate is not None
    found = time.process_time()
    verdict = check(Certificate(**json.loads(json.dumps(vars(certificate)))))
    end = time.process_time()
    ratio = (found - begin) / (end - found)
    print(f"{name:26} {found - begin:7.3f} {end - found:7.3f} {ratio:6.2f}  {verdict.decision}: {verdict.reason}")


if __name__ == "__main__":
    main()
