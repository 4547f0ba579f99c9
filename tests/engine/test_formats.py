"""What is written is read again, and problem and ring are settled as the contract says."""

import json
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from flipforge.certificates import check
from flipforge.errors import FormatError, InputError, MalformedError, NotFoundError, RingError, VerificationError
from flipforge.problems import matmul, parse, tensor_problem
from flipforge.rings import GF2, GF3, GF5, RINGS, ZT, HalfZ, Q, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import (
    WRITERS,
    is_there,
    judge_file,
    parse_certificate,
    read_file,
    write_certificate,
    write_file,
)
from strategies import problems, schemes

SUFFIX = {"flipforge": "json", "fmm": "json", "exp": "exp", "npz": "npz", "sms": "sms", "txt": "txt"}

same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25
)
with_wide_sizes = problems(3) | st.sampled_from(
    [matmul(1, 10, 2), matmul(2, 1, 11), matmul(10, 1, 1), matmul(1, 12, 10)]
)


def written(scheme: Scheme, to: str, folder: Path) -> Path:
    path = folder / f"scheme.{SUFFIX[to]}"
    write_file(scheme, to, path)
    return path


def fits(scheme: Scheme, to: str) -> bool:
    """Tell whether the format holds numbers of that size."""
    entries = (x for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row)
    return to != "npz" or all(abs(x.numerator) < 2**40 for x in entries)


def folded() -> Scheme:
    """A scheme of 1x1x1 with two extra products that cancel modulo 2 only."""
    return Scheme(matmul(1, 1, 1), GF2, ((1,),) * 3, ((1,),) * 3, ((1,),) * 3)


@pytest.mark.parametrize("to", WRITERS)
@same_folder
@given(scheme=schemes(problem=with_wide_sizes))
def test_what_is_written_is_read_again(to: str, scheme: Scheme, tmp_path: Path) -> None:
    assume(fits(scheme, to))
    (judged,) = judge_file(written(scheme, to, tmp_path), ring=scheme.ring)
    assert judged.scheme is not None
    assert judged.scheme.id == scheme.id
    assert (judged.problem, judged.ring, judged.rank) == (scheme.problem.name, scheme.ring.name, scheme.rank)


@pytest.mark.parametrize("to", ["flipforge", "npz", "sms", "txt"])
@same_folder
@given(scheme=schemes(problem=with_wide_sizes))
def test_these_formats_state_the_ring(to: str, scheme: Scheme, tmp_path: Path) -> None:
    assume(fits(scheme, to))
    (read,) = read_file(written(scheme, to, tmp_path))
    assert (read.ring, read.u, read.v, read.w) == (scheme.ring, scheme.u, scheme.v, scheme.w)


@pytest.mark.parametrize("to", ["exp", "fmm"])
@same_folder
@given(scheme=schemes(rings=[GF2, GF3, ZT, Z, HalfZ, Q]))
def test_without_a_ring_one_is_found_in_which_it_holds(to: str, scheme: Scheme, tmp_path: Path) -> None:
    (read,) = read_file(written(scheme, to, tmp_path))
    assert read.verdict().valid
    if not scheme.ring.characteristic or (to == "fmm" and scheme.ring == GF2):
        assert read.id == scheme.id


def test_rings_are_tried_in_order(tmp_path: Path) -> None:
    path = written(folded(), "exp", tmp_path)
    (judged,) = judge_file(path)
    assert (judged.ring, judged.rank) == ("GF2", 3)
    ternary = Scheme(matmul(1, 1, 1), GF3, ((1,),) * 4, ((1,),) * 4, ((1,),) * 4)
    assert judge_file(written(ternary, "exp", tmp_path))[0].ring == "GF3"
    fives = Scheme(matmul(1, 1, 1), GF5, ((1,),) * 6, ((1,),) * 6, ((1,),) * 6)
    path = written(fives, "exp", tmp_path)
    assert judge_file(path, ring=GF5)[0].verdict.valid
    (judged,) = judge_file(path)
    assert (judged.verdict.decision, judged.ring, judged.scheme) == ("REFUTED", "Q", None)
    assert (
        judged.verdict.reason
        == "the coefficient of a11*b11 in c11 is 6, matmul:1x1x1 wants 1 over Q (tried Q, GF2, GF3)"
    )


@pytest.mark.parametrize(("scale", "name"), [(1, "ZT"), (-3, "Z"), (4, "Z[1/2]"), (3, "Q")])
def test_over_q_the_smallest_ring_is_reported(scale: int, name: str, tmp_path: Path) -> None:
    inverse = Fraction(1, scale) if name in ("Z[1/2]", "Q") else Fraction(1)
    u = ((scale,),) if name != "Z" else ((-3,), (4,))
    w = ((inverse,),) * len(u)
    scheme = Scheme(matmul(1, 1, 1), Q, u, ((1,),) * len(u), w)
    assert judge_file(written(scheme, "fmm", tmp_path))[0].ring == name


def test_the_caller_decides_problem_and_ring(tmp_path: Path) -> None:
    scheme = standard_scheme(matmul(2, 2, 2), Z)
    native, exp = written(scheme, "flipforge", tmp_path), written(scheme, "exp", tmp_path)
    for path in (native, exp):
        assert judge_file(path, ring=GF2)[0].scheme == scheme.over(GF2)
        (judged,) = judge_file(path, problem=matmul(2, 2, 3))
        assert judged.verdict.decision in ("MALFORMED", "REFUTED")
        assert judged.problem == "matmul:2x2x3"
    twos = Scheme(matmul(1, 1, 1), Z, ((2,), (-1,)), ((1,), (1,)), ((1,), (1,)))
    (judged,) = judge_file(written(twos, "flipforge", tmp_path), ring=ZT)
    assert (judged.verdict.decision, judged.verdict.reason) == ("REFUTED", "2 is not an element of ZT")
    with pytest.raises(RingError, match="states GF2; its scheme has no image over Q"):
        judge_file(written(folded(), "flipforge", tmp_path), ring=Q)


def test_the_same_shape_is_not_the_same_problem(tmp_path: Path) -> None:
    scheme = standard_scheme(matmul(2, 2, 2), Z)
    entries = [((i, j, k), t) for (i, j, k), t in scheme.problem.entries if i]
    other = tensor_problem((4, 4, 4), entries)
    (judged,) = judge_file(written(scheme, "flipforge", tmp_path), problem=other)
    assert judged.verdict.decision == "REFUTED"


@pytest.mark.parametrize("to", ["flipforge", "npz"])
def test_tensors_are_embedded(to: str, tmp_path: Path) -> None:
    problem = tensor_problem((2, 1, 3), [((0, 0, 2), -3), ((1, 0, 0), 7)])
    scheme = standard_scheme(problem, Z)
    (judged,) = judge_file(written(scheme, to, tmp_path))
    assert judged.scheme is not None
    assert judged.problem == problem.name
    assert judged.scheme.problem.entries == problem.entries
    assert judged.scheme.id == scheme.id


def test_tensors_that_are_only_named_must_be_given(tmp_path: Path) -> None:
    problem = tensor_problem((2, 1, 3), [((0, 0, 2), -3), ((1, 0, 0), 7)])
    scheme = standard_scheme(problem, Z)
    for to in ("txt", "sms"):
        path = written(scheme, to, tmp_path)
        with pytest.raises(InputError, match="--problem"):
            judge_file(path)
        assert read_file(path, problem=problem)[0].id == scheme.id
    for to in ("fmm", "exp"):
        with pytest.raises(InputError, match=f"{to} files hold matrix products"):
            write_file(scheme, to, tmp_path / "x")
        assert not (tmp_path / "x").exists()


def test_native_files_keep_provenance_and_unknown_keys(tmp_path: Path) -> None:
    scheme = standard_scheme(matmul(1, 1, 2), Z)
    path = written(scheme, "flipforge", tmp_path)
    document = json.loads(path.read_text())
    document |= {"note": {"é": [1.5, None]}, "provenance": {"run": "r1", "provenance": "kept", "unknown_keys": 3}}
    path.write_text(json.dumps(document))
    (read,) = read_file(path)
    write_file(read, "flipforge", path)
    again = json.loads(path.read_text())
    assert again["note"] == document["note"]
    assert again["provenance"] == {"run": "r1", "provenance": "kept"}
    assert read.id == scheme.id


def test_unknown_keys_never_replace_known_ones(tmp_path: Path) -> None:
    scheme = standard_scheme(matmul(1, 1, 1), Z)
    tricked = Scheme(scheme.problem, Z, scheme.u, scheme.v, scheme.w, {"unknown_keys": {"u": [[5]], "extra": 1}})
    document = json.loads(written(tricked, "flipforge", tmp_path).read_text())
    assert document["u"] == [[1]]
    assert document["extra"] == 1


def test_certificates_are_schemes_too(tmp_path: Path) -> None:
    scheme = standard_scheme(matmul(2, 1, 2), GF3)
    path = tmp_path / "proof.json"
    write_certificate(scheme.certify(), path)
    (judged,) = judge_file(path)
    assert judged.scheme is not None
    assert (judged.scheme.id, judged.ring, judged.problem) == (scheme.id, "GF3", "matmul:2x1x2")
    document = json.loads(path.read_text())
    # A sound proof of another tensor than the problem it names proves nothing.
    document["statement"]["problem"] = "matmul:1x1x4"
    path.write_text(json.dumps(document))
    assert judge_file(path)[0].verdict.decision == "REFUTED"
    assert "another tensor" in judge_file(path)[0].verdict.reason
    document["statement"]["problem"] = "matmul:2x1x2"
    document["witness"]["w"][0] = [0, 1, 0, 0]
    path.write_text(json.dumps(document))
    assert judge_file(path)[0].verdict.decision == "REFUTED"
    del (
        document["statement"]["tensor"][0],
        document["witness"]["u"][0],
        document["witness"]["v"][0],
        document["witness"]["w"][0],
    )
    document["statement"]["rank"] = 3
    path.write_text(json.dumps(document))
    assert check(parse_certificate(document)).valid
    assert judge_file(path)[0].verdict.reason == "the certificate is about another tensor than that of matmul:2x1x2"
    document["kind"] = "riddle"
    path.write_text(json.dumps(document))
    with pytest.raises(FormatError, match="unknown certificate kind 'riddle'"):
        judge_file(path)
    document["format"] = "flipforge-certificate/9"
    path.write_text(json.dumps(document))
    with pytest.raises(FormatError, match=r"flipforge-certificate/9.*this version reads"):
        judge_file(path)


def test_an_sms_triple_is_read_by_its_stem_or_any_part(tmp_path: Path) -> None:
    scheme = standard_scheme(matmul(2, 1, 2), Z)
    files = write_file(scheme, "sms", tmp_path / "s.sms")
    assert [file.name for file in files] == ["s_L.sms", "s_R.sms", "s_P.sms"]
    for path in (tmp_path / "s.sms", *files):
        assert is_there(path)
        assert read_file(path)[0].id == scheme.id
    files[1].unlink()
    assert not is_there(tmp_path / "s.sms")
    with pytest.raises(NotFoundError, match=r"s_R\.sms: no such file"):
        judge_file(files[0])


def test_npz_is_plain_numpy_and_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    scheme = Scheme(matmul(1, 1, 1), Q, ((Fraction(2, 3),),), ((1,),), ((Fraction(3, 2),),))
    with np.load(written(scheme, "npz", tmp_path), allow_pickle=False) as arrays:
        assert arrays["u"].tolist() == [[2]] and arrays["u_denominator"].tolist() == [3]
        assert str(arrays["problem"]) == "matmul:1x1x1"
    big = Scheme(matmul(1, 1, 1), Z, ((2**63,), (1 - 2**63,)), ((1,), (1,)), ((1,), (1,)))
    with pytest.raises(InputError, match="does not fit in 64 bits"):
        write_file(big, "npz", tmp_path / "big.npz")
    assert not (tmp_path / "big.npz").exists()
    assert read_file(written(big, "exp", tmp_path))[0].id == big.id


def test_read_file_gives_proved_schemes_only(tmp_path: Path) -> None:
    path = tmp_path / "wrong.exp"
    path.write_text("(a11)*(b11)*(2*c11)\n")
    with pytest.raises(VerificationError, match=r"wrong\.exp: REFUTED: the coefficient") as caught:
        read_file(path)
    assert not isinstance(caught.value, MalformedError)
    path.write_text("(a11)*(b11*(c11)\n")
    with pytest.raises(MalformedError, match=r"wrong\.exp: MALFORMED: line 1, column 17"):
        read_file(path)


def test_no_verdict_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        judge_file(tmp_path / "absent.json")
    with pytest.raises(NotFoundError, match="not a regular file"):
        judge_file(tmp_path)
    with pytest.raises(InputError):
        judge_file("nul\0byte")
    huge = tmp_path / "huge.exp"
    with huge.open("wb") as stream:
        stream.truncate(64 * 2**20 + 1)
    with pytest.raises(InputError, match="larger than the limit"):
        judge_file(huge)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_no_verdict_on_an_unreadable_file(tmp_path: Path) -> None:
    path = written(folded(), "exp", tmp_path)
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        judge_file(path)


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scheme = standard_scheme(matmul(2, 2, 2), Z)
    path = tmp_path / "kept.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for to in WRITERS:
        with pytest.raises(InputError, match=r"cannot be written.*No space left"):
            write_file(scheme, to, path)
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["kept.json"]
    with path.open() as before:
        write_file(scheme, "flipforge", path)
        assert before.read() == "old", "who reads meanwhile sees one whole file or the other"
    assert read_file(path)[0].id == scheme.id
    with pytest.raises(InputError, match="is a folder"):
        write_file(scheme, "exp", tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        write_file(scheme, "exp", tmp_path / "no" / "folder.exp")
    with pytest.raises(FormatError, match=r"unknown format 'pdf': use one of flipforge, fmm"):
        write_file(scheme, "pdf", path)


def test_too_long_coefficients_are_not_written(tmp_path: Path) -> None:
    scheme = Scheme(matmul(1, 1, 1), Q, ((10**5000,),), ((1,),), ((Fraction(1, 10**5000),),))
    for to in WRITERS:
        with pytest.raises(InputError, match="more than 1000 digits"):
            write_file(scheme, to, tmp_path / "x")


def test_every_ring_has_a_file(tmp_path: Path) -> None:
    for ring in RINGS.values():
        scheme = standard_scheme(parse("matmul:1x2x1"), ring)
        assert read_file(written(scheme, "flipforge", tmp_path))[0].ring == ring
