"""Conformance of certifiers."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from flipforge.certificates import Certificate, check
from flipforge.errors import FlipforgeError, InputError
from flipforge.plugins import Certifier, Content
from flipforge.schemes.formats import certificate_document, parse_certificate

__all__ = ["CertifierConformance"]


class CertifierConformance:
    """Tests of a `Certifier`; a subclass gives `certifier`, `contents` and `broken`."""

    def certifier(self) -> Certifier:
        """Return the certifier under test."""
        raise NotImplementedError("a subclass returns its certifier")

    def contents(self) -> Sequence[tuple[Content, Mapping[str, Any], str]]:
        """Return contents with options for them and the verdict that their certificates get, PROVED or EVIDENCE."""
        raise NotImplementedError("a subclass returns contents")

    def broken(self) -> Sequence[Content]:
        """Return contents that the certifier accepts and cannot treat."""
        raise NotImplementedError("a subclass returns contents")

    def certified(self, content: Content, options: Mapping[str, Any]) -> Certificate:
        """Return the certificate of a content, as it comes out of a file."""
        found = self.certifier().certify(content, options=options).certificate
        assert found is not None
        return parse_certificate(json.loads(json.dumps(certificate_document(found))))

    def test_its_contents_are_accepted_and_others_are_not(self) -> None:
        certifier = self.certifier()
        assert all(certifier.accepts(content) for content, _, _ in self.contents())
        assert all(certifier.accepts(content) for content in self.broken())
        foreign: list[Content] = [{}, {"format": "knot/1", "crossings": []}, np.zeros(3), {"a": np.zeros((2, 2))}]
        assert not any(certifier.accepts(content) for content in foreign)

    def test_certificates_get_their_verdict(self) -> None:
        for content, options, decision in self.contents():
            assert check(self.certified(content, options)).decision == decision

    def test_the_same_content_gives_the_same_certificate(self) -> None:
        for content, options, _ in self.contents():
            before = deepcopy(content)
            first, second = (self.certified(content, options) for _ in range(2))
            assert (first.statement, first.witness) == (second.statement, second.witness)
            np.testing.assert_equal(content, before)

    def test_nothing_rests_on_provenance(self) -> None:
        for content, options, decision in self.contents():
            found = self.certified(content, options)
            assert check(Certificate(found.kind, found.statement, found.witness, "")).decision == decision

    def test_less_than_the_whole_is_no_proof(self) -> None:
        """Without any one entry of the witness nothing is proved; without one of the statement there is no error."""
        for content, options, _ in self.contents():
            found = self.certified(content, options)
            for key in found.witness:
                rest = {name: value for name, value in found.witness.items() if name != key}
                assert not check(Certificate(found.kind, found.statement, rest, "")).valid, key
            for key in found.statement:
                rest = {name: value for name, value in found.statement.items() if name != key}
                assert "\n" not in check(Certificate(found.kind, rest, found.witness, "")).reason

    def test_an_unknown_option_is_named(self) -> None:
        for content, options, _ in self.contents():
            with pytest.raises(InputError, match="no_such_option") as caught:
                self.certifier().certify(content, options={**options, "no_such_option": 1})
            assert "\n" not in str(caught.value)

    def test_broken_content_is_one_line(self) -> None:
        assert self.broken()
        for content in self.broken():
            with pytest.raises(FlipforgeError) as caught:
                self.certifier().certify(content, options={})
            assert "\n" not in str(caught.value)
