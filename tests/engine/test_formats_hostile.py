"""Whatever the bytes: a verdict or one line, never a traceback, and never a proof of what is not one."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flipforge.errors import InputError
from flipforge.problems import matmul
from flipforge.rings import GF2, Z
from flipforge.schemes import standard_scheme
from flipforge.schemes.formats import Judged, judge_file, write_certificate, write_file
from oracle import oracle

SCHEME = standard_scheme(matmul(2, 1, 2), Z)
TERNARY = "2 1 2 4\n1 0 1 0 0 1 0 1\n1 0 0 1 1 0 0 1\n1 0 0 0 0 0 1 0 0 1 0 0 0 0 0 1\n"
MATHEMATICA = "{{{{1}}, {{1, 0}}, {{1}, {0}}},\n {{{1}}, {{0, 1}}, {{0}, {1}}}}\n"
SAMPLES = (
    "native.json",
    "proof.json",
    "fmm.json",
    "s.exp",
    "s.txt",
    "s.npz",
    "gg-212-s.npy",
    "ternary.txt",
    "s.m",
    "alpha.npz",
)

quiet = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=150)


def make_sample(name: str, folder: Path) -> bytes:
    path = folder / name
    writers = {"native.json": "flipforge", "fmm.json": "fmm", "s.exp": "exp", "s.txt": "txt", "s.npz": "npz"}
    if name in writers:
        write_file(SCHEME, writers[name], path)
    elif name == "proof.json":
        write_certificate(SCHEME.certify(), path)
    elif name == "ternary.txt":
        path.write_text(TERNARY)
    elif name == "s.m":
        path.write_text(MATHEMATICA)
    elif name == "gg-212-s.npy":
        values = [n for rows in (SCHEME.u, SCHEME.v, SCHEME.w) for row in rows for x in row for n in (x.numerator, 1)]
        np.save(path, np.array([values]))
    else:
        factors = np.empty(3, dtype=object)
        factors[:] = [np.array(rows).T for rows in (SCHEME.u, SCHEME.v, [[r[0], r[2], r[1], r[3]] for r in SCHEME.w])]
        np.savez(path, **{"2,1,2": factors})  # type: ignore[arg-type]
    return path.read_bytes()


def outcome(path: Path, data: bytes) -> list[Judged]:
    """Judge the bytes; everything but an `InputError` must be a verdict, and a proof must be one."""
    path.write_bytes(data)
    try:
        judged = judge_file(path)
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1500
        return []
    for item in judged:
        assert "\n" not in item.verdict.reason
        assert len(item.verdict.reason) < 1000
        assert (item.scheme is not None) == item.verdict.valid
        if item.scheme is None:
            assert item.verdict.reason
        else:
            assert oracle(item.scheme)
    return judged


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_proved(name: str, tmp_path: Path) -> None:
    judged = outcome(tmp_path / name, make_sample(name, tmp_path))
    assert [item.verdict.decision for item in judged] == ["PROVED"]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation_is_seen(name: str, tmp_path: Path) -> None:
    data = make_sample(name, tmp_path)
    for length in range(0, len(data.rstrip()), max(1, len(data) // 150)):
        assert not any(item.verdict.valid for item in outcome(tmp_path / name, data[:length]) if not still_whole(item))


def still_whole(item: Judged) -> bool:
    """Tell whether a shortened text states another, smaller product and proves it."""
    return item.scheme is not None and item.problem != "matmul:2x1x2"


@pytest.mark.parametrize("name", SAMPLES)
def test_half_a_file_is_malformed_or_refuted(name: str, tmp_path: Path) -> None:
    data = make_sample(name, tmp_path)
    (item,) = outcome(tmp_path / name, data[: len(data) * 3 // 5])
    assert item.verdict.decision in ("MALFORMED", "REFUTED")


@pytest.mark.parametrize("name", SAMPLES)
def test_flipped_bits_give_no_traceback_and_no_false_proof(name: str, tmp_path: Path) -> None:
    data = make_sample(name, tmp_path)
    random = Random(name)
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(random.choice([1, 1, 1, 2, 8])):
            damaged[random.randrange(len(data))] ^= 1 << random.randrange(8)
        outcome(tmp_path / name, bytes(damaged))


@pytest.mark.parametrize("name", SAMPLES)
def test_spliced_files_give_no_traceback(name: str, tmp_path: Path) -> None:
    data = make_sample(name, tmp_path)
    random = Random(name)
    for _ in range(100):
        i, j, k = sorted(random.randrange(len(data) + 1) for _ in range(3))
        junk = random.choice(
            [b"", b"(" * 3000, b"9" * 5000, b"[" * 3000, b"-/*", b"\xff\x00", b"1e999", b'"', b"{{", data[i:j]]
        )
        outcome(tmp_path / name, data[:j] + junk + data[k:])


@quiet
@given(st.sampled_from(["x", "x.exp", "x.json", "x.txt", "x.m", "x.npy", "x.npz", "x.sms"]), st.binary(max_size=300))
def test_any_bytes(name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outcome(Path(folder) / name, data)


@quiet
@given(text=st.text(alphabet="abcm1230()+-*/_[], =\n#", max_size=80))
def test_any_formula(text: str, tmp_path: Path) -> None:
    for name in ("x.exp", "x.txt"):
        outcome(tmp_path / name, b"m1 = (a1)(b1)\nc1 = m1\n" * (name == "x.txt") + text.encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["1", "1/0", "GF2", "matmul:1x1x1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("uvw"), inner, max_size=2),
    max_leaves=6,
)


@quiet
@given(
    name=st.sampled_from(["native.json", "fmm.json", "proof.json"]),
    key=st.sampled_from(
        ["problem", "ring", "rank", "u", "v", "w", "provenance", "n", "m", "z2", "statement", "witness", "kind"]
    ),
    inner=st.sampled_from([None, "problem", "ring", "shape", "tensor", "u"]),
    value=json_values,
)
def test_any_value_under_any_key(name: str, key: str, inner: str | None, value: object, tmp_path: Path) -> None:
    document = json.loads(make_sample(name, tmp_path))
    target = document.get(key)
    if inner and isinstance(target, dict):
        target[inner] = value
    else:
        document[key] = value
    outcome(tmp_path / name, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"rank": 4', '"rank": 5', "rank says 5, there are 4 rows"),
        ('"rank": 4', '"rank": 4, "rank": 4', "key 'rank' stands twice"),
        ('"rank": 4', '"rank": 4.0', "rank says 4.0"),
        ('"rank": 4', '"rank": NaN', "NaN is not a number here"),
        ('"rank": 4', '"rank": 1' + "0" * 100_000, "digits"),
        ("  [1, 0],\n", "  [1, 1e5],\n", "100000.0 is not a coefficient"),
        ("  [1, 0],\n", "  [1, Infinity],\n", "Infinity is not a number here"),
        ("  [1, 0],\n", "  [1, true],\n", "True is not a coefficient"),
        ("  [1, 0],\n", '  [1, "0.5"],\n', "'0.5' is not a coefficient"),
        ("  [1, 0],\n", "  [1],\n", "u[2] has 1 entries; matmul:2x1x2 needs 2"),
        ("  [1, 0],\n", '  "10",\n', "u[2] is str, not a list"),
        ("  [1, 0],\n", "  [1, " + "7" * 2000 + "],\n", "more than 1000 digits"),
        ("  [1, 0],\n", "  [1, " + "7" * 5000 + "],\n", "digits"),
        ("  [1, 0],\n", "[" * 100_000, "nests too deeply"),
        ('"ring": "ZT"', '"ring": "GF4"', "unknown ring 'GF4'"),
        ('"ring": "ZT"', '"ring": ["Z"]', "unknown ring"),
        ('"problem": "matmul:2x1x2"', '"problem": "matmul:2x0x2"', "every size must be at least 1"),
        ('"problem": "matmul:2x1x2"', '"problem": "tensor:/etc/passwd"', "the embedded tensor is missing or broken"),
        ('"problem": "matmul:2x1x2"', '"problem": 7', "problem is int, not a string"),
        ('"provenance": {', '"provenance": [], "x": {', "provenance is list"),
        ('"w"', '"x"', "key 'w' is missing"),
    ],
)
def test_native_faults_are_named(old: str, new: str, words: str, tmp_path: Path) -> None:
    write_file(standard_scheme(matmul(2, 1, 2), Z).canonical, "flipforge", tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text()
    assert old in text
    (item,) = outcome(tmp_path / "x.json", text.replace(old, new, 1).encode())
    assert item.verdict.decision == "MALFORMED"
    assert words in item.verdict.reason


def test_problems_of_unknown_kinds_get_no_verdict(tmp_path: Path) -> None:
    text = make_sample("native.json", tmp_path).decode().replace("matmul:2x1x2", "knot:a.json")
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=r"x\.json: knot:a\.json: unknown problem kind 'knot'"):
        judge_file(tmp_path / "x.json")


def test_zip_bombs_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2,1,2.npy", b"\0" * (64 * 2**20 + 1))
    (item,) = outcome(tmp_path / "bomb.npz", stream.getvalue())
    assert "larger than the limit" in item.verdict.reason
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for i in range(1001):
            archive.writestr(f"{i}.npy", b"")
    (item,) = outcome(tmp_path / "many.npz", stream.getvalue())
    assert "more than the limit of 1000" in item.verdict.reason


@pytest.mark.parametrize(
    "shape", ["(1, 99999999999999)", "(99999999999, 99999999999)", "(-1, 6)", "(1, 6, 1, 1, 1)", "(0,)", "()"]
)
def test_npy_headers_that_lie(shape: str, tmp_path: Path) -> None:
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 48
    for item in outcome(tmp_path / "gg-111-x.npy", data):
        assert item.verdict.decision == "MALFORMED"


def test_the_limit_of_cells_guards_memory(tmp_path: Path) -> None:
    (item,) = outcome(tmp_path / "x.exp", b"a[150,150]*b[1,1]*c[1,1]\n" + b"a11*b11*c11\n" * 1000)
    assert item.verdict.decision == "MALFORMED"
    line = b"a[1,20]*b[20,20]*c[20,1]\n"
    (item,) = outcome(tmp_path / "x.exp", line * 30_000)
    assert "exceed the limit" in item.verdict.reason


def test_a_gf2_file_with_foreign_entries(tmp_path: Path) -> None:
    write_file(SCHEME.over(GF2), "flipforge", tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text().replace("[1, 0]", "[3, 0]", 1)
    (item,) = outcome(tmp_path / "x.json", text.encode())
    assert item.verdict.reason == "3 is not an element of GF2"
