"""The certifier of polynomial systems, which flipforge itself brings."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from flipforge.errors import InputError
from flipforge.plugins._certify import Certified, Content
from flipforge.plugins._manifest import Manifest

__all__ = ["SYSTEM", "SystemCertifier"]


class SystemCertifier:
    """Proves the root of a system near a start; see `flipforge.plugins.Certifier`.

    Content: JSON with ``polynomials`` and ``root``, or a plain text. Options: ``multiplicity``, ``max_order``; or
    ``all`` for all roots from random starts, drawn by ``seed``.
    """

    def accepts(self, content: Content) -> bool:
        """Tell whether the content is a polynomial system, or is meant to be one."""
        return not isinstance(content, np.ndarray) and ("polynomials" in content or content.keys() == {"text"})

    def certify(self, content: Content, *, options: Mapping[str, Any]) -> Certified:
        """Find the root near the start and prove its multiplicity structure.

        Raises
        ------
        InputError
            The system does not parse, states no start, or no root is near it.
        """
        from flipforge.polynomials import certify_all, certify_root, parse_system, parse_text

        known = {"all", "seed"} if options.get("all") else {"multiplicity", "max_order"}
        if unknown := options.keys() - known:
            which = "all roots of a system" if options.get("all") else "a root of a system"
            raise InputError(f"for {which} there is no option {min(unknown)!r}; leave it out")
        assert not isinstance(content, np.ndarray)
        system = parse_system(content) if "polynomials" in content else parse_text(content["text"])
        if options.get("all"):
            roots = certify_all(system, options.get("seed", 0))
            return Certified(
                roots.certificate, roots.reason, radius=float(Fraction(roots.certificate.statement["radius"]))
            )
        found = certify_root(system, **{key: options[key] for key in ("multiplicity", "max_order") if key in options})
        return Certified(
            found.certificate,
            found.reason,
            found.multiplicity,
            found.hilbert_function,
            None if found.radius is None else float(found.radius),
            None if found.perturbation is None else float(found.perturbation),
        )


SYSTEM = Manifest(
    name="system",
    kind="certifiers",
    summary="roots of polynomial systems with their multiplicity structure, exactly or in balls",
    target="flipforge.plugins._systems:SystemCertifier",
    api_version=1,
    requires=("numpy", "python-flint"),
)
