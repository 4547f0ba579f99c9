"""Certifiers: the protocol of what finds a certificate for the content of a file, and the choice among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.errors import FormatError
from flipforge.plugins._registry import available, get

__all__ = ["Certified", "Certifier", "Content", "certifier_for"]

Content = Mapping[str, Any] | npt.NDArray[Any]
"""What a file holds: a JSON object, the arrays of an NPZ by their names, or one array."""


@dataclass(frozen=True)
class Certified:
    """A certificate, not yet checked, and what it says in the words of ``flipforge certify``.

    Attributes
    ----------
    certificate
        None where there is nothing to claim; then the reason says why.
    multiplicity, hilbert_function
        Of a root.
    radius
        Within which the exact object lies.
    perturbation
        How far the input is from what the certificate is exact for; 0 where it is exact for the input.
    """

    certificate: Certificate | None
    reason: str = ""
    multiplicity: int | None = None
    hilbert_function: tuple[int, ...] | None = None
    radius: float | None = None
    perturbation: float | None = None


class Certifier(Protocol):
    """Finds certificates for a kind of content; plugins of kind ``certifiers`` implement it."""

    def accepts(self, content: Content) -> bool:
        """Tell, without work, whether the content is of the certifier's kind."""

    def certify(self, content: Content, *, options: Mapping[str, Any]) -> Certified:
        """Find a certificate; whoever calls has it checked.

        Raises
        ------
        InputError
            The content cannot be treated, or an option is not known.
        MalformedError
            The content is of the kind and broken.
        """


def certifier_for(content: Content) -> Certifier:
    """Return the first certifier that accepts the content.

    Raises
    ------
    FormatError
        There is none.
    """
    names = [row.name for row in available("certifiers", probe=False) if row.status == "ok"]
    for name in names:
        certifier: Certifier = get("certifiers", name)
        if certifier.accepts(content):
            return certifier
    raise FormatError(f"content that nothing certifies; there are certifiers for {', '.join(names) or 'nothing'}")
