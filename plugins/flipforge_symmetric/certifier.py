"""The certifier: a file with a symmetric tensor becomes a certificate of its decomposition."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flipforge.errors import InputError
from flipforge.plugins import Certified, Content
from flipforge_symmetric._decompose import decompose
from flipforge_symmetric._proof import proof
from flipforge_symmetric._tensor import is_symmetric_tensor, read_tensor

__all__ = ["SymmetricCertifier"]


class SymmetricCertifier:
    """Finds w_i and a_i with T = sum w_i a_i^m; see `flipforge.plugins.Certifier`.

    Content: JSON ``{"order", "length", "entries"}`` with exact coefficients at 0-based indices, each once; or an array
    of 4 or 6 equal sides with floating-point numbers or integers. Options: ``rank``, ``seed``.
    """

    def accepts(self, content: Content) -> bool:
        """Tell whether the content is a symmetric tensor, or is meant to be one."""
        return is_symmetric_tensor(content)

    def certify(self, content: Content, *, options: Mapping[str, Any]) -> Certified:
        """Decompose the tensor and write down what can be said of the result.

        Raises
        ------
        InputError
            The tensor is none, its rank is above the bound or cannot be seen, or components are missing.
        """
        unknown = options.keys() - {"rank", "seed"}
        if unknown:
            raise InputError(f"a symmetric tensor has no option {min(unknown)!r}; leave it out")
        tensor, seed = read_tensor(content), options.get("seed", 0)
        found = decompose(tensor.coefficients, tensor.length, tensor.order, rank=options.get("rank"), seed=seed)
        if not found.complete:
            raise InputError(
                f"{len(found.weights)} of {found.rank} components were found, with an error of {found.error:.3g}: "
                "try another seed, or give a lower rank where the tensor is noisy"
            )
        made = {"tool": "flipforge_symmetric", "method": "subspace power method", "seed": seed}
        certificate = proof(tensor, found, {**made, "relative_error": found.error, "asymmetry": tensor.asymmetry})
        middle, radius = map(Fraction, certificate.statement["distance"])
        return Certified(certificate, perturbation=float(middle + radius))
