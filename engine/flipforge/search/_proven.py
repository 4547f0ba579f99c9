"""What the catalogue keeps beside schemes: a certificate that stands for itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from flipforge.certificates import Certificate, Verdict, check
from flipforge.errors import InputError, MalformedError, VerificationError
from flipforge.problems import Problem
from flipforge.rings import Q, Ring
from flipforge.rings import ring as ring_named
from flipforge.schemes import ID_LENGTH

__all__ = ["Proven"]


@dataclass(frozen=True)
class Proven:
    """A certificate as an object of the catalogue: with an identity, a size and a history.

    Attributes
    ----------
    certificate
        What was proven, without its provenance.
    provenance
        JSON values that tell where it comes from; not part of its identity.
    """

    certificate: Certificate
    provenance: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, certificate: Certificate) -> "Proven":
        """Take a certificate as it is in a file, with its provenance."""
        return cls(replace(certificate, provenance={}), certificate.provenance)

    @cached_property
    def problem(self) -> Problem:
        """The problem of an identity or of a system; a mere name for other kinds, which nothing searches for.

        Raises
        ------
        MalformedError
            The certificate of an identity states no ideal, or that of solutions no system.
        """
        statement = self.certificate.statement
        try:
            # Only these need the algebra.
            if self.certificate.kind == "identity":
                from flipforge.polynomials import ideal_of_statement, identity_problem

                return identity_problem(ideal_of_statement(statement))
            if self.certificate.kind == "solutions":
                from flipforge.polynomials import system_of_statement, system_problem

                return system_problem(system_of_statement(statement))
        except (KeyError, TypeError, ValueError, InputError) as error:
            what = (
                "an identity states no ideal" if self.certificate.kind == "identity" else "solutions states no system"
            )
            raise MalformedError(f"the certificate of {what} ({error!r})") from None
        name = f"{self.certificate.kind}:sha256={_hash(statement)}"
        return Problem(name, self.certificate.kind, (1, 1, 1), (), (), ((), (), ()))

    @property
    def ring(self) -> Ring:
        """The ring that the statement names, or Q."""
        name = self.certificate.statement.get("ring")
        return ring_named(name) if isinstance(name, str) else Q

    @property
    def rank(self) -> int:
        """The size that the statement gives: terms of an identity, powers of a sum, missing roots; 0 where none is."""
        rank = self.certificate.statement.get("rank", 0)
        return rank if type(rank) is int else 0

    @property
    def checker(self) -> str:
        """Name and version of the check that proves it."""
        return self.certificate.checker

    @property
    def canonical(self) -> "Proven":
        """The object itself: there is no other form of it."""
        return self

    @cached_property
    def digest(self) -> str:
        """All 64 hex digits of the hash over kind, statement and witness."""
        return _hash([self.certificate.kind, self.certificate.statement, self.certificate.witness])

    @property
    def id(self) -> str:
        """First 12 hex digits of `digest`."""
        return self.digest[:ID_LENGTH]

    def verdict(self) -> Verdict:
        """Decide the certificate."""
        return check(self.certificate)

    def certify(self) -> Certificate:
        """Return the certificate.

        Raises
        ------
        VerificationError
            It does not hold.
        """
        verdict = self.verdict()
        if not verdict.valid:
            raise VerificationError(f"{self.certificate.kind}: {verdict.decision}: {verdict.reason}")
        return self.certificate

    def describe(self) -> str:
        """Return the certificate as text: its verdict, then its witness."""
        verdict = self.verdict()
        head = f"{self.problem} over {self.ring}: a certificate of kind {self.certificate.kind}, ID {self.id}"
        parts = [f"{key}: {json.dumps(value)}" for key, value in self.certificate.witness.items()]
        return "\n".join([head, f"{verdict.decision}: {verdict.reason}", "", *parts])


def _hash(value: Any) -> str:
    return sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
