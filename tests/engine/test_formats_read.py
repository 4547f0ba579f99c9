"""The published formats, each by small files written by hand; the expected scheme is built here, not by the readers."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flipforge.errors import FormatError, InputError, MalformedError
from flipforge.problems import matmul, parse
from flipforge.rings import Q, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import judge_file, read_file, write_file
from flipforge.schemes.formats._draft import named_problem, product_sizes
from flipforge.schemes.formats._exp import exp_draft
from flipforge.schemes.formats._products import dump_products

# 1x1x2: c11 = a11 b11 and c12 = a11 b12. 2x1x1: c11 = a11 b11, c21 = a21 b11. Transposition of C shows in both.
WIDE = standard_scheme(matmul(1, 1, 2), Z)
TALL = standard_scheme(matmul(2, 1, 1), Z)
SQUARE = standard_scheme(matmul(2, 2, 2), Z)

Read = Callable[..., Scheme]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def one(content: str | bytes, name: str = "scheme.txt", **options: Any) -> Scheme:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        (scheme,) = read_file(path, **options)
        return scheme

    return one


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "(a11)*(b11)*(c11)\n(a11)*(b12)*(c21)\n",
        "a11*b11*c11\na11*b12*c21",
        "a11 b11 c11\n(a11)(b12)(c21)\n\n",
        "-((-a11)*(b11)*(c11))\n(a11)(b12)(c21)",
        "-a11*b11*(-c11)\n(a11)*(b12)*c21",
        "c11*(a11)*b11\r\n+a11*b12*c21\r\n",
        "(2*(a11))*(3*b11)*(c11)/6\n(a11 - 3*a11 + 3*a11)*(b12/2)*(2*c21)",
        "# a comment\n((((a11))))*(1/2*b11)*(2c11)\n(a11)*(b12)*(-(-c21))",
        "2*a11/2/3*3*b11*c11\n6/3/2*a[1,1]*b1_2*c[ 2 , 1 ]",
        "(a11+a11-a11)*(b11)*(c11)\n(a11)*(b12)*(c21)\n(0)*(b11)*(c11)\n",
    ],
)
def test_exp(text: str, read: Read) -> None:
    scheme = read(text, "x.exp")
    products = [
        (u, v, w) for u, v, w in zip(scheme.canonical.u, scheme.canonical.v, scheme.canonical.w, strict=True) if any(u)
    ]
    assert products == list(zip(WIDE.canonical.u, WIDE.canonical.v, WIDE.canonical.w, strict=True))


def test_exp_is_recognised_by_content_and_keeps_big_and_rational_numbers(read: Read) -> None:
    scheme = read(f"({10**40}*a11+a11-a11)*(b11)*(c11/{10**40})", "no-suffix")
    assert scheme.u == ((10**40,),)
    assert scheme.w == ((Fraction(1, 10**40),),)
    draft = exp_draft("(5*(a11-a12))*(-b11+b21)*(-2*c11)/10")
    assert (draft.u, draft.v, draft.w) == (((1, -1),), ((-1, 1),), ((-1,),))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(a11*(b11)*(c11)", "line 1, column 17: a closing bracket is missing"),
        ("(a11)*(b11)*(c11)\n(a11)*(b12)*(c21", "line 2, column 17: a closing bracket is missing"),
        ("(a11)*(b11)*(c11))", "line 1, column 18: unexpected '\\)'"),
        ("(a11)*(b11)*", "line 1, column 13: the line ends where a factor is wanted"),
        ("(a11)*(b11)", "line 1: the product has no factor in c"),
        ("(a11)*(a12)*(c11)", "two factors in a"),
        ("(a11+b11)*(b11)*(c11)", "line 1, column 9: the sum mixes a with b"),
        ("(a11+1)*(b11)*(c11)", "the sum mixes a with numbers"),
        ("(a11*b11+a11*b11)*c11", "a product of several factors stands inside a sum"),
        ("(a11)*(b11)*(c11)/0", "line 1, column 19: only a number that is not zero"),
        ("(a11)*(b11)/(c11)", "only a number"),
        ("(a11)*(b111)*(c11)", "line 1, column 8: b111: an index is row and column"),
        ("(a01)*(b11)*(c11)", "a01: an index"),
        ("(a11)*(b11)*(d11)", "'d' is none of a, b and c"),
        ("(a11)*(b11)*(c1)", "c1: an index"),
        ("(a11)*(b11.5)*(c11)", "line 1, column 11: unexpected '.'"),
        ("(a11)*(b11)*(c11)^2", "unexpected '\\^'"),
        ("(a11)*(b21)*(c11)", "are not the sizes of one matrix product"),
        ("(a[900,1])*(b[1,900])*(c[900,900])", "more than the limit"),
        ("# only a comment about a11 b11 c11", "no product"),
        ("(" * 100 + "a11" + ")" * 100 + "*b11*c11", "line 1, column 65: brackets nest deeper than 64"),
        ("9" * 2000 + "*a11*b11*c11", "more than 1000 digits"),
        ("*".join(["9" * 900] * 9) + "*a11*b11*c11", "more than 1000 digits"),
        ("a11*b11*c11" + "".join(f"/{10**300 + i}" for i in range(5)), "more than 1000 digits"),
    ],
)
def test_exp_faults_name_line_and_column(text: str, words: str, read: Read) -> None:
    with pytest.raises(MalformedError, match=words) as caught:
        read(text, "x.exp")
    assert "\n" not in str(caught.value)


def test_exp_is_parsed_in_linear_time(read: Read) -> None:
    # A quadratic parser would take minutes here; no clock is read.
    line = "(" + "+".join(["a11"] * 20_001) + "-20000*a11)*(b11)*(c11)\n"
    assert read(line + "(a11-a11)*(b11)*(c11)\n" * 2000, "x.exp").rank == 2001


def test_txt_with_flat_entries_is_row_major_and_not_transposed(read: Read) -> None:
    text = "m1  = (a1)(b1)\nm2  = (1/2a1 + 1/2a1)(2b2)\n\nc1  = m1\nc2  = 1/2m2\n"
    assert read(text).id == WIDE.id
    assert read("m1 = (a1)(b1)\nm2 = (a2)(b1)\nc1 = m1\nc2 = m2\n").id == TALL.id
    assert read("m1 = -(-a1)(b1)\nm2 = 6(a1)(1/2b2)\nc1 = m1\nc2 = (m2)/3\n").id == WIDE.id
    many = "".join(f"m{q} = (a{q})(b{q})\n" for q in range(1, 13)) + "c1 = " + " + ".join(f"m{q}" for q in range(1, 13))
    assert read(many).id == standard_scheme(matmul(1, 12, 1), Z).id


def test_txt_with_rows_and_columns(read: Read) -> None:
    assert read("m1 = (a11)(b11)\nm2 = (a11)(b12)\nc11 = m1\nc12 = m2").id == WIDE.id
    assert read("m1 = (a11)(b11)\nm2 = (a21)(b11)\nc11 = m1\nc21 = m2").id == TALL.id


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("m1 = (a1)(b1)\n", "no output line"),
        ("m1 = (a1)(b1)\nm1 = (a1)(b1)\nc1 = m1", "line 2: m1 stands twice"),
        ("m2 = (a1)(b1)\nc1 = m2", "not numbered m1 to m1"),
        ("m1 = (a1)(b1)\nc1 = m2", "m2 is not one of the 1 products"),
        ("m1 = (a1)(b1)\nc1 = m1 + a1", "the sum mixes m with a"),
        ("m1 = (a1)(b1)\nc1 = 2", "not a sum of products"),
        ("m1 = (a1)\nc1 = m1", "no factor in b"),
        ("m1 = (a1)(m1)\nc1 = m1", "'m' is neither a nor b"),
        ("m1 = (a1)(b1)\nc1 = m1\nrubbish", "line 3: neither"),
        ("m1 = (a1(b1)\nc1 = m1", "line 1, column 13"),
        ("m1 = (a11)(b11)\nc11 = m1\nc12 = 0", "are not the sizes of one"),
        ("# problem: matmul:1x1x1\nm1 = (a11)(b12)\nc11 = m1", "outside the 1 coordinates"),
        ("# problem: matmul:0x1x1\nm1 = (a11)(b12)\nc11 = m1", "must be at least 1"),
        ("# ring: GF4\nm1 = (a11)(b11)\nc11 = m1", "unknown ring 'GF4'"),
    ],
)
def test_txt_faults(text: str, words: str, read: Read) -> None:
    with pytest.raises(MalformedError, match=words):
        read(text)


def test_flat_entries_without_a_problem(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("m1 = (a1 + a2)(b1 + b3)\nc1 = m1\nc2 = 0\n")
    with pytest.raises(InputError, match="2, 3 and 2 entries are no matrix product; give --problem"):
        judge_file(tmp_path / "plain.txt")


def test_flip_cpd_packs_a_lower_triangle_by_columns(read: Read) -> None:
    ours = standard_scheme(parse("structured:ul:3"), Z)
    # Ours by rows: 11, 21, 22, 31, 32, 33. Theirs: 11, 21, 31, 22, 32, 33.
    theirs = replace(ours, v=tuple(tuple(row[i] for i in (0, 1, 3, 2, 4, 5)) for row in ours.v))
    assert theirs.id != ours.id
    assert read(npy(np.array([flat_pairs(theirs)])), "ul-333-rank14-rec-0-0-0-z.npy").id == ours.id
    assert read(npy(np.array([flat_pairs(theirs)])), "x.npy", problem=ours.problem).id == ours.id
    without_header = "".join(dump_products(theirs).splitlines(keepends=True)[2:])
    assert read(without_header, "ul-333-rank14-rec-0-0-0-z.txt").id == ours.id
    assert read(dump_products(ours), "x.txt").id == ours.id
    gram = standard_scheme(parse("structured:lt:3"), Z)
    u, v = (tuple(tuple(row[i] for i in (0, 1, 3, 2, 4, 5)) for row in rows) for rows in (gram.u, gram.v))
    assert read(npy(np.array([flat_pairs(replace(gram, u=u, v=v))])), "lt-333-x.npy").id == gram.id


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gt-464-x", "structured:gt:4x6"),
        ("ug-446-x", "structured:ug:4x6"),
        ("gu-466-x", "structured:gu:4x6"),
        ("st-333b-x", "structured:st:3:b"),
        ("gg-345-x", "matmul:3x4x5"),
        ("gg-333c-x", "structured:gg:3:c"),
    ],
)
def test_names_of_flip_cpd(name: str, problem: str) -> None:
    assert named_problem(name) == parse(problem)


def test_names_of_no_product(tmp_path: Path) -> None:
    for name, words in (
        ("qq-222-x", "'qq' is not two structures"),
        ("uu-234-x", "upper triangular operands are square"),
    ):
        (tmp_path / f"{name}.npy").write_bytes(npy(np.array([[1, 1]])))
        with pytest.raises(InputError, match=rf"{name}\.npy: .*{words}"):
            judge_file(tmp_path / f"{name}.npy")


@pytest.mark.parametrize("name", ["structured:ul:3", "structured:tg:2x3", "complex:1x2x1", "poly:2x3", "group:S3"])
@pytest.mark.parametrize("to", ["flipforge", "npz", "txt"])
def test_schemes_of_other_kinds_are_written_and_read_back(name: str, to: str, tmp_path: Path) -> None:
    scheme = standard_scheme(parse(name), Z)
    write_file(scheme, to, tmp_path / f"x.{to}")
    (judged,) = judge_file(tmp_path / f"x.{to}")
    assert judged.verdict.valid
    assert judged.scheme is not None
    assert judged.scheme.id == scheme.id


def flat_pairs(scheme: Scheme) -> list[int]:
    values = [x for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row]
    return [number for x in values for number in (x.numerator, x.denominator)]


def test_flip_cpd_npy(read: Read, tmp_path: Path) -> None:
    one = npy(np.array([flat_pairs(SQUARE)]))
    assert read(one, "gg-222-rank8-rec-0-0-0-z.npy").id == SQUARE.id
    assert read(one, "other.npy", problem=matmul(2, 2, 2)).id == SQUARE.id
    (tmp_path / "two-2x2x2.npy").write_bytes(npy(np.array([flat_pairs(SQUARE)] * 2)))
    assert [j.source[-2:] for j in judge_file(tmp_path / "two-2x2x2.npy")] == ["#1", "#2"]
    halves = Scheme(matmul(1, 1, 1), Q, ((Fraction(1, 2),),), ((-2,),), ((-1,),))
    assert read(npy(np.array(flat_pairs(halves))), "111-x.npy").u == ((Fraction(1, 2),),)
    with pytest.raises(InputError, match="states no problem"):
        read(one, "nameless.npy")
    with pytest.raises(MalformedError, match="192 numbers a scheme; a product of matmul:3x3x3 takes 54"):
        read(one, "gg-333-x.npy")
    with pytest.raises(MalformedError, match="a denominator is 0"):
        read(npy(np.array([[1, 0, 1, 1, 1, 1]])), "gg-111-x.npy")
    for array in (np.zeros((1, 6)), np.zeros((1, 6), dtype=np.uint64)):
        with pytest.raises(FormatError, match="no list of"):
            read(npy(array), "gg-111-x.npy")


def test_fmm_is_transposed(read: Read) -> None:
    document = {"n": [1, 1, 2], "m": 2, "z2": False, "u": [[1], ["1/2"]], "v": [[1, 0], [0, 2]], "w": [[1, 0], [0, 1]]}
    assert read(json.dumps(document), "x.json").id == WIDE.id
    tall = {"n": [2, 1, 1], "m": 2, "u": [[1, 0], [0, 1]], "v": [[1], [1]], "w": [[1, 0], [0, 1]], "elements": {"x": 1}}
    assert read(json.dumps(tall), "x.json").id == TALL.id
    columns = [[1 if k * 2 + i == c else 0 for c in range(4)] for i in (0, 1) for k in (0, 1) for _ in (0, 1)]
    rows = {"u": [], "v": []}  # type: ignore[var-annotated]
    for i in (0, 1):
        for k in (0, 1):
            for j in (0, 1):
                rows["u"].append([int(c == i * 2 + j) for c in range(4)])
                rows["v"].append([int(c == j * 2 + k) for c in range(4)])
    assert read(json.dumps({"n": [2, 2, 2], "m": 8, "z2": True, **rows, "w": columns}), "x.json").ring.name == "GF2"


def reduced() -> dict[str, Any]:
    """1x2x1 with a fresh sum in every factor: m1 = (a1 + a2)(b1 + b2), m2 = a1 b2, m3 = a2 b1, c = m1 - (m2 + m3)."""

    def terms(*pairs: tuple[int, int]) -> list[dict[str, int]]:
        return [{"index": index, "value": value} for index, value in pairs]

    return {
        "n": [1, 2, 1],
        "m": 3,
        "u_fresh": [terms((0, 1), (1, 1))],
        "v_fresh": [terms((0, 1)), terms((2, 1), (1, 1))],
        "w_fresh": [terms((1, 1), (2, 1))],
        "u": [terms((2, 1)), terms((0, 1)), terms((2, 1), (0, -1))],
        "v": [terms((3, 1)), terms((1, 1)), terms((2, 1))],
        "w": [terms((0, 1), (3, -1))],
    }


def test_fmm_reduced_expands_fresh_expressions(read: Read) -> None:
    scheme = read(json.dumps(reduced()), "x.json")
    assert scheme.u == ((1, 1), (1, 0), (0, 1))
    assert scheme.v == ((1, 1), (0, 1), (1, 0))
    assert scheme.w == ((1,), (-1,), (-1,))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": [1, 2]}, "key 'n' must hold three sizes"),
        ({"n": [1, 2, 0]}, "every size must be at least 1"),
        ({"n": [1, 2, True]}, "key 'n'"),
        ({"m": "3"}, "key 'm'"),
        ({"m": 10**9}, "more than any file"),
        ({"m": 4}, "u has 3 rows, 4 are needed"),
        ({"z2": 1}, "key 'z2'"),
        ({"u": 5}, "u and u_fresh must be lists"),
        ({"u": [5, [], []]}, r"u\[0\] is int, not a list"),
        ({"u": [[{"index": 3, "value": 1}], [], []]}, r"u\[0\]: index 3 is not one of the 3 entries"),
        ({"u_fresh": [[{"index": 2, "value": 1}]]}, r"u_fresh\[0\]: index 2 is not one of the 2 entries"),
        ({"u": [[{"index": -1, "value": 1}], [], []]}, "index -1"),
        ({"u": [[{"index": 0}], [], []]}, "a term must be"),
        ({"u": [[{"index": 0, "value": 0.5}], [], []]}, "not a coefficient"),
    ],
)
def test_fmm_faults(change: dict[str, Any], words: str, read: Read) -> None:
    with pytest.raises(MalformedError, match=words):
        read(json.dumps(reduced() | change), "x.json")


def test_fresh_expressions_cannot_explode(read: Read) -> None:
    doubling = [[{"index": 0, "value": 10**900}]] + [[{"index": i, "value": 10**900}] for i in range(2, 60)]
    with pytest.raises(MalformedError, match="more than 1000 digits"):
        read(json.dumps(reduced() | {"u_fresh": doubling}), "x.json")


def test_ternary_blocks(read: Read, tmp_path: Path) -> None:
    text = "1 1 2 2\n1 1\n1 0 0 1\n1 0 0 1\n"
    assert read(text).id == WIDE.id
    tall = "2 1 1 2\n1 0 0 1\n1 1\n1 0 0 1\n"
    (tmp_path / "many.txt").write_text("2\n" + text + tall)
    assert [j.scheme and j.scheme.id for j in judge_file(tmp_path / "many.txt")] == [WIDE.id, TALL.id]
    assert [j.source[-2:] for j in judge_file(tmp_path / "many.txt")] == ["#1", "#2"]
    for broken, words in (
        ("1 1 2 2\n1 1\n1 0 0 1\n1 0 0\n", "w is cut off: 3 of 4 integers"),
        ("1 1 2 2\n1 1\n1 0 0 1\n1 0 0 1 1\n", "stands after the last scheme"),
        ("1 1 2 2\n1 1\n1 0 0 1\n1 0 x 1\n", "'x' is not a coefficient"),
        ("1 1 2 99999999\n1 1\n1 0 0 1\n1 0 0 1\n", "rank 99999999 is out of range"),
        ("0 1 2 2\n1 1\n1 0 0 1\n1 0 0 1\n", "every size must be at least 1"),
    ):
        with pytest.raises(MalformedError, match=words):
            read(broken)


def test_mathematica_lists(read: Read) -> None:
    assert read("{{{{1}}, {{1, 0}}, {{1}, {0}}},\n {{{1/2}}, {{0, 2}}, {{0}, {1}}}}", "x.m").id == WIDE.id
    assert read("{{{{1},{0}},{{1}},{{1,0}}},{{{0},{-2}},{{-1/2}},{{0,1}}}}\n", "x.txt").id == TALL.id
    for broken, words in (
        ("{{{{1}}, {{1, 0}}, {{1}, {0}}}", "cut off"),
        ("{{{{1}}, {{1, 0}}, {{1}, {0}}}}}", "line 1, column 32: unexpected"),
        ("{{{{1}}, {{1, 0}}, {{1}, {x}}}}", "unexpected 'x'"),
        ("{{{{1}}, {{1, 0}}}}", "not a list of three matrices"),
        ("{{{{1}}, {{1, 0}}, {{1, 0}}}}", "are no A, B and C transposed"),
        ("{{{{1}}, {{1, 0}, {1}}, {{1}, {0}}}}", "ragged"),
        ("{{{{1}}, {{1,, 0}}, {{1}, {0}}}}", "unexpected ','"),
        ("{{{{1/0}}, {{1, 0}}, {{1}, {0}}}}", "not a coefficient"),
        ("{{{{{1}}}}}", "unexpected '{'"),
        ("{{}}", "not a list of three matrices"),
        ("{}", "is empty"),
        ("{" * 100_000, "unexpected '{'"),
    ):
        with pytest.raises(MalformedError, match=words):
            read(broken, "x.m")


def test_sms_faults(read: Read, tmp_path: Path) -> None:
    good = {
        "L": "2 1 M\n1 1 1\n2 1 1\n0 0 0\n",
        "R": "2 2 R\n1 1 1\n2 2 1/1\n0 0 0\n",
        "P": "# note\n2 2 M\n1 1 1\n2 2 1\n0 0 0\n",
    }

    def triple(**changes: str) -> Scheme:
        for part, text in (good | changes).items():
            (tmp_path / f"x_{part}.sms").write_text(text)
        return read_file(tmp_path / "x.sms")[0]

    assert triple().id == WIDE.id
    for part, text, words in (
        ("L", "2 1 M\n1 1 1\n2 1 1\n", "L: the closing line"),
        ("L", "2 1\n", "L, line 1: the header"),
        ("R", "2 2 M\n1 1 1\n3 2 1\n0 0 0\n", r"R, line 3: \(3, 2\) lies outside"),
        ("R", "2 2 M\n1 1 1\n1 1 1\n0 0 0\n", r"entry \(1, 1\) stands twice"),
        ("P", "2 2 M\n1 1 x\n0 0 0\n", "P, line 2: 'x' is not a coefficient"),
        ("P", "2 3 M\n1 1 1\n0 0 0\n", "each must be the rank"),
    ):
        with pytest.raises(MalformedError, match=words):
            triple(**{part: text})
    (tmp_path / "lonely.sms").write_text(good["L"])
    with pytest.raises(FormatError, match="one matrix is no scheme"):
        judge_file(tmp_path / "lonely.sms")


def test_sizes_from_the_numbers_of_coordinates() -> None:
    for n in range(1, 7):
        for m in range(1, 7):
            for p in range(1, 7):
                assert product_sizes(n * m, m * p, n * p) == (n, m, p)
    for none in ((3, 4, 4), (2, 3, 2), (0, 1, 1), (1, 1, 2)):
        assert product_sizes(*none) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("Dear reader, this is a text about algebra (and b11).", "no known scheme format"),
        ("GIF89a", "no known scheme format"),
        ('{"hello": 1}', "no known scheme format"),
        ('["u", "v", "w"]', "no known scheme format"),
        (
            '{"format": "flipforge-scheme/2", "u": [], "v": [], "w": []}',
            r"scheme/2' is not known; this version reads flipforge-scheme/1",
        ),
        ('{"format": "other/1", "u": [], "v": [], "w": []}', "'other/1' is not known"),
        ('{"format": 1, "u": [], "v": [], "w": []}', "'1' is not known"),
    ],
)
@pytest.mark.parametrize("name", ["x", "x.txt", "x.json"])
def test_unknown_formats_get_no_verdict(content: str, words: str, name: str, read: Read) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        read(content, name)
    assert "\n" not in str(caught.value)
