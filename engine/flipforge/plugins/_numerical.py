"""The certifier of numerical schemes, which flipforge itself brings."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from flipforge.certificates import Certificate
from flipforge.errors import InputError, MalformedError
from flipforge.plugins._certify import Certified, Content
from flipforge.plugins._manifest import Manifest
from flipforge.problems import parse

__all__ = ["NUMERICAL", "NumericalCertifier"]

_FAR = 1e-2


class NumericalCertifier:
    """Makes a scheme in floating-point numbers exact, and proves it; see `flipforge.plugins.Certifier`.

    Content: JSON ``{"problem", "u", "v", "w"}`` with numbers as entries. There are no options but ``seed``, which
    changes nothing. Where no exact scheme is reached the certificate says how near the sum is, which is EVIDENCE.
    """

    def accepts(self, content: Content) -> bool:
        """Tell whether the content is such a scheme, or is meant to be."""
        return (
            not isinstance(content, np.ndarray)
            and {"problem", "u", "v", "w"} <= content.keys()
            and "format" not in content
        )

    def certify(self, content: Content, *, options: Mapping[str, Any]) -> Certified:
        """Refine the scheme, make it exact, and write down what holds.

        Raises
        ------
        InputError
            The problem is none that has numerical schemes, or is too large.
        MalformedError
            The factors are no rows of numbers of the right length.
        """
        from flipforge.schemes.numerical import NumericalScheme, make_exact, refine

        unknown = options.keys() - {"seed"}
        if unknown:
            raise InputError(f"a numerical scheme has no option {min(unknown)!r}; leave it out")
        assert not isinstance(content, np.ndarray)
        if not isinstance(content["problem"], str):
            raise MalformedError("problem must be a problem string, as in matmul:2x2x2")
        scheme = NumericalScheme(parse(content["problem"]), *(_factor(content, axis) for axis in "uvw"))
        if scheme.residual > _FAR:
            return Certified(None, f"a coefficient of the sum differs from that of the tensor by {scheme.residual:.3g}")
        exact = make_exact(scheme, thorough=True)
        if exact is not None:
            return Certified(
                exact.certify(), f"an exact scheme over {exact.ring}, of rank {exact.rank}", perturbation=0.0
            )
        certificate = _near(refine(scheme))
        middle, radius = map(Fraction, certificate.statement["distance"])
        return Certified(certificate, "no exact scheme was reached from it", perturbation=float(middle + radius))


def _factor(content: Mapping[str, Any], axis: str) -> Any:
    try:
        array = np.array(content[axis], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.zeros(0)
    if array.ndim != 2:
        raise MalformedError(f"{axis} must be rows of numbers, all of one length")
    return array


def _near(scheme: Any) -> Certificate:
    """State how far the sum of a numerical scheme is from its tensor."""
    difference = np.zeros(scheme.problem.shape)
    for index, value in scheme.problem.entries:
        difference[index] = -value
    difference += np.einsum("ri,rj,rk->ijk", *scheme.factors)
    size = sum(float(np.prod([np.linalg.norm(row) for row in rows])) for rows in zip(*scheme.factors, strict=True))
    error = 16 * np.finfo(np.float64).eps * (len(scheme.u) + 4) * (size + float(np.sqrt(len(scheme.problem.entries))))
    statement = {
        "problem": scheme.problem.name,
        "shape": list(scheme.problem.shape),
        "tensor": [[*index, value] for index, value in scheme.problem.entries],
        "rank": len(scheme.u),
        "distance": [str(Fraction(float(x))) for x in (np.linalg.norm(difference), error)],
    }
    rows = {axis: [[str(Fraction(x)) for x in row] for row in getattr(scheme, axis).tolist()] for axis in "uvw"}
    return Certificate("approximate", statement, rows, "flipforge.approximate/1")


NUMERICAL = Manifest(
    name="numerical",
    kind="certifiers",
    summary="schemes in floating-point numbers, made exact over Q",
    target="flipforge.plugins._numerical:NumericalCertifier",
    api_version=1,
    requires=("numpy", "python-flint"),
)
