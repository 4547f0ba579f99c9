"""The certifier of polynomial identities, which flipforge itself brings."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flipforge.errors import InputError
from flipforge.plugins._certify import Certified, Content
from flipforge.plugins._manifest import Manifest

__all__ = ["IDENTITY", "IdentityCertifier"]

_MAX_DEGREE = 3


class IdentityCertifier:
    """Finds g = sum q_i f_i with cofactors of the least degree; see `flipforge.plugins.Certifier`.

    Content: JSON with ``equations``, and ``target``, ``field``, ``variables``. Option: ``degree``, up to which it
    looks. Where there is no identity the certificate says so, and up to which degree.
    """

    def accepts(self, content: Content) -> bool:
        """Tell whether the content asks for an identity, or is meant to."""
        return not isinstance(content, np.ndarray) and "equations" in content

    def certify(self, content: Content, *, options: Mapping[str, Any]) -> Certified:
        """Look for an identity degree by degree.

        Raises
        ------
        InputError
            The content does not parse, or a degree takes more products than are handled.
        """
        from flipforge.polynomials import find_identity, parse_ideal

        unknown = options.keys() - {"degree", "seed"}
        if unknown:
            raise InputError(f"an identity has no option {min(unknown)!r}; leave it out")
        assert not isinstance(content, np.ndarray)
        degree = options.get("degree", _MAX_DEGREE)
        if type(degree) is not int or degree < 0:
            raise InputError(f"degree {degree}: give an integer from 0")
        return Certified(find_identity(parse_ideal(content), degree))


IDENTITY = Manifest(
    name="identity",
    kind="certifiers",
    summary="cofactors of an ideal membership or a refutation, over Q and GF(p), of the least degree",
    target="flipforge.plugins._identities:IdentityCertifier",
    api_version=1,
    requires=("numpy", "python-flint"),
)
