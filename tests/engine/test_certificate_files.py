"""Certificate files that hold no scheme: their verdict, what it trusts, and the hash of their content."""

import json
from pathlib import Path
from typing import Any

import pytest

from flipforge import api
from flipforge.certificates import Certificate, Verdict, register_checker
from flipforge.errors import FormatError
from flipforge.problems import matmul
from flipforge.rings import Z
from flipforge.schemes import standard_scheme
from flipforge.schemes.formats import judge_file, read_file, write_certificate


def check_square(certificate: Certificate) -> Verdict:
    """The toy kind of these tests: the witness is a root of the statement's number."""
    number, root = certificate.statement["number"], certificate.witness["root"]
    return Verdict("PROVED" if root * root == number else "REFUTED", f"{root} squared is {root * root}")


register_checker("test-square", check_square)
SQUARE = Certificate("test-square", {"number": 49, "ring": "Z", "rank": 1}, {"root": -7}, "tests/1", {"by": ["hand"]})


def rewritten(path: Path, *keys: Any, value: Any) -> str | None:
    """Change one value of the file, leave its hash, and return the verdict of `verify`."""
    document = json.loads(path.read_text())
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    changed = path.with_name("changed.json")
    changed.write_text(json.dumps(document))
    (row,) = api.verify(changed)
    assert "\n" not in row["reason"]
    assert row["reason"] or row["valid"]
    return row["verdict"]  # type: ignore[no-any-return]


def test_a_certificate_of_any_kind_is_verified(tmp_path: Path) -> None:
    path = tmp_path / "seven.json"
    write_certificate(SQUARE, path)
    batch = api.verify(path)
    (row,) = batch
    assert batch.exit_code == 0
    assert (row["verdict"], row["valid"], row["ring"], row["rank"], row["problem"]) == ("PROVED", True, "Z", 1, None)
    assert row["reason"] == "-7 squared is 49; this trusts Python's integers and fractions and the checker's text"
    (judged,) = judge_file(path)
    assert judged.certificate == SQUARE
    assert judged.scheme is None
    with pytest.raises(FormatError, match="kind 'test-square' holds no scheme"):
        read_file(path)


def test_every_change_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "seven.json"
    write_certificate(SQUARE, path)
    assert rewritten(path, "witness", "root", value=6) == "REFUTED"
    assert rewritten(path, "witness", "root", value=7) == "MALFORMED"
    assert rewritten(path, "witness", "unused", value=1) == "MALFORMED"
    assert rewritten(path, "provenance", "by", 0, value="machine") == "MALFORMED"
    assert rewritten(path, "checker", value="tests/2") == "MALFORMED"
    assert rewritten(path, "extra", value=None) == "MALFORMED"
    assert rewritten(path, "sha256", value=None) == "MALFORMED"
    assert rewritten(path, "statement", "number", value=49) == "PROVED"


def test_a_certificate_of_a_scheme_may_lack_the_hash_but_not_contradict_it(tmp_path: Path) -> None:
    path = tmp_path / "scheme.json"
    write_certificate(standard_scheme(matmul(1, 1, 2), Z).certify(), path)
    assert rewritten(path, "sha256", value=None) == "PROVED"
    assert rewritten(path, "provenance", "scheme", value="0" * 12) == "MALFORMED"
