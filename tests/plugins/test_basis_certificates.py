"""Certificates of bases: proved for every cell of the published tables, refuted or malformed after any change."""

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from commands import Capture, answer
from flipforge import api
from flipforge.certificates import MAX_GRAM, Certificate, Verdict, check
from flipforge.errors import InputError
from flipforge.schemes.formats import certificate_document, parse_certificate

# The largest m of the published tables that is still light here, for each group.
TABLES = {
    **{f"S:{n}": 5 for n in range(1, 8)},
    **{f"A:{n}": 4 for n in range(1, 8)},
    **{f"O:{n}": 6 for n in range(1, 7)},
    **{f"SO:{n}": 7 for n in range(1, 7)},
    **{f"Sp:{n}": 8 for n in (2, 4, 6)},
    **{f"H:{n}": 6 for n in range(1, 5)},
    **{f"B:{n}": 5 for n in range(1, 5)},
    **{f"{g}:{n}": 4 for g in ("SxZ2", "BxZ2") for n in (1, 3)},
    **{f"Aut:{g}": 3 for g in ("cycle-5", "cycle-6", "prism", "petersen", "bipartite-3-3", "cubical", "star-4")},
    **{f"Aut:{g}": 4 for g in ("path-2", "path-3", "complete-4")},
    **{f"{g}+:{n}": 5 for g in ("S", "O", "H", "B", "SxZ2", "BxZ2") for n in (1, 4)},
    **{f"{g}+:{n}": 5 for g in ("S", "O", "H", "B", "SxZ2", "BxZ2") for n in (2, 3)},
    "Aut:frucht": 2,
    "perm:2341": 4,
    "perm:213,231": 4,
}


named = cache(api.parse_group)


def certified(name: str, k: int, l: int) -> Certificate:
    """The certificate as it comes back from a file."""
    certificate = named(name).certificate(k, l)
    return parse_certificate(json.loads(json.dumps(certificate_document(certificate))))


@pytest.mark.parametrize(("name", "most"), TABLES.items())
def test_bases_are_certified(name: str, most: int) -> None:
    for m in range(most + 1):
        for k in {0, m // 2, m}:
            certificate = certified(name, k, m - k)
            verdict = check(certificate)
            assert (verdict.decision, verdict.reason) == ("PROVED", ""), (k, m - k)
            basis = certificate.statement.get("basis", [])
            assert len(basis) in (0, named(name).dimension(k, m - k))


WHOLE_TABLES = {
    **{f"{g}:{n}": 6 for g in ("S", "A") for n in range(1, 8)},
    **{f"{g}:{n}": 8 for g in ("O", "SO") for n in range(1, 7)},
    **{f"Aut:{g}": 5 for g in ("cycle-4", "cycle-5", "cycle-6", "prism", "cycle-7", "petersen", "bipartite-3-3")},
    **{f"Aut:{g}": 5 for g in ("bipartite-2-3", "cubical", "star-4", "path-4", "path-5", "complete-4")},
    "Aut:frucht": 4,
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), WHOLE_TABLES.items())
def test_whole_tables_are_certified(name: str, most: int) -> None:
    for m in range(most + 1):
        assert check(certified(name, m // 2, m - m // 2)).decision == "PROVED"


@pytest.mark.parametrize(
    ("name", "k", "l"), [("S:50", 4, 4), ("Sp:50", 5, 5), ("SO:6", 5, 5), ("B:5", 4, 4), ("A:9", 4, 4)]
)
def test_large_bases_are_certified_by_their_rule(name: str, k: int, l: int) -> None:
    certificate = certified(name, k, l)
    assert certificate.witness == {"method": "rule"}
    assert "basis" not in certificate.statement
    assert check(certificate).valid
    refuted = with_change(certificate, lambda s, w: s.update(dimension=s["dimension"] + 1))
    assert refuted.decision == "REFUTED"


def with_change(certificate: Certificate, change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> Verdict:
    """The verdict after a change of statement and witness."""
    statement, witness = deepcopy(dict(certificate.statement)), deepcopy(dict(certificate.witness))
    change(statement, witness)
    return check(Certificate(certificate.kind, statement, witness, certificate.checker))


def drop(statement: dict[str, Any], witness: dict[str, Any]) -> None:
    statement["basis"].pop()
    witness["functionals"].pop()
    statement["dimension"] -= 1


HEAD = {"kind": "levi-civita", "pairs": [[0, 1]], "free": [2, 3]}  # a leg too few for A_3


def regroup(statement: dict[str, Any], name: str) -> None:
    statement.update(group=name, problem=f"layer:{name}:2:2")


def repeat(statement: dict[str, Any], witness: dict[str, Any]) -> None:
    statement["basis"][-1] = statement["basis"][0]


@pytest.mark.parametrize(
    ("name", "change", "decision", "words"),
    [
        ("S:3", drop, "REFUTED", "by characters"),
        ("S:3", repeat, "REFUTED", "listed twice"),
        ("S:3", lambda s, w: s["basis"].reverse(), "REFUTED", "functional"),
        ("S:3", lambda s, w: w["functionals"][0][0][1].reverse(), "REFUTED", "functional 0 is 0 on diagram 0"),
        ("S:3", lambda s, w: regroup(s, "S:2"), "REFUTED", "by characters"),
        ("S:3", lambda s, w: regroup(s, "H:3"), "REFUTED", "by characters"),
        ("O:2", lambda s, w: s["basis"][0].update(pairs=[[0, 1], [2, 2]]), "MALFORMED", "points once"),
        ("O:2", lambda s, w: s["basis"][0].update(kind="partition", blocks=[[0, 1, 2, 3]]), "REFUTED", "belong to O:2"),
        ("SO:2", lambda s, w: s["basis"][0].update(n=3), "MALFORMED", "legs"),
        ("Sp:2", lambda s, w: regroup(s, "Sp:3"), "MALFORMED", "no basis of diagrams"),
        ("Sp:2", lambda s, w: regroup(s, "O:2"), "REFUTED", "by characters"),
        ("A:3", lambda s, w: w["functionals"][0].pop(), "REFUTED", "functional"),
        (
            "A:3",
            lambda s, w: s["basis"][0].update(kind="levi-civita", pairs=[[0, 1]], free=[2, 3]),
            "REFUTED",
            "belong",
        ),
        ("A:3", lambda s, w: s.update(problem="layer:A:3:1:2"), "MALFORMED", "is another than"),
        ("A:3", lambda s, w: w["functionals"].pop(), "MALFORMED", "as long as the basis"),
        ("A:3", lambda s, w: w["functionals"][0][0].__setitem__(1, [0, 9, 0, 0]), "MALFORMED", "outside 0..2"),
        ("B:3", lambda s, w: w["functionals"][0][0].__setitem__(1, [0]), "MALFORMED", "index of 4 values"),
        ("B:3", lambda s, w: s.pop("dimension"), "MALFORMED", "'dimension' is missing"),
        ("B:3", lambda s, w: s.update(k=-1), "MALFORMED", "k is -1"),
        ("B:3", lambda s, w: s.update(k=True), "MALFORMED", "k is True"),
        ("B:3", lambda s, w: s.update(k=100), "MALFORMED", "at most 64"),
        ("B:3", lambda s, w: s.update(basis=3), "MALFORMED", "must be a list"),
        ("B:3", lambda s, w: s["basis"].__setitem__(0, 7), "MALFORMED", "a diagram is an object"),
        ("B:3", lambda s, w: s["basis"][0].update(kind="orbit"), "MALFORMED", "of kind orbit"),
        ("B:3", lambda s, w: w.update(method="belief"), "MALFORMED", "method belief is not known"),
        ("B:3", lambda s, w: w.update(method="orbits"), "MALFORMED", "groups of permutations"),
        ("Aut:cycle-4", lambda s, w: s["edges"].pop(), "REFUTED", "Burnside"),
        ("Aut:cycle-4", lambda s, w: s.update(dimension=37), "REFUTED", "36 orbits by Burnside"),
        ("Aut:cycle-4", lambda s, w: s["basis"].pop(), "REFUTED", "35 orbits are listed of 36"),
        ("Aut:cycle-4", lambda s, w: s["basis"][1].update(representative=[1, 1, 1, 1]), "REFUTED", "are the same"),
        ("Aut:cycle-4", lambda s, w: s["basis"][1].update(representative=[0, 0, 9, 0]), "MALFORMED", "outside"),
        ("Aut:cycle-4", lambda s, w: s["edges"].append([0, 9]), "MALFORMED", "edge"),
        ("S+:4", lambda s, w: s["basis"][0].update(blocks=[[0, 3], [1, 2]]), "REFUTED", "does not belong to S+:4"),
        ("S+:4", lambda s, w: regroup(s, "S:4"), "REFUTED", "by characters"),
        ("S+:3", lambda s, w: w.update(method="rule"), "REFUTED", "breaks it"),
        ("S+:4", lambda s, w: w.update(method="triangular", functionals=[]), "MALFORMED", "as long as"),
        ("perm:2341", lambda s, w: regroup(s, "perm:1234"), "REFUTED", "Burnside"),
        ("perm:2341", lambda s, w: regroup(s, "perm:2345"), "MALFORMED", "permutations"),
    ],
)
def test_changes_are_seen(name: str, change: Callable[[Any, Any], Any], decision: str, words: str) -> None:
    certificate = certified(name, 2, 2)
    assert check(certificate).valid
    verdict = with_change(certificate, change)
    assert verdict.decision == decision
    assert words in verdict.reason


def test_a_gram_minor_is_a_witness() -> None:
    certificate = certified("B:3", 2, 2)

    def by_gram(prime: int) -> str:
        def change(statement: dict[str, Any], witness: dict[str, Any]) -> None:
            witness.clear()
            witness.update(method="gram", prime=prime)

        return with_change(certificate, change).decision

    assert by_gram(2**31 - 1) == "PROVED"
    assert by_gram(3) == "REFUTED"  # 3 divides the determinant
    assert by_gram(1) == "MALFORMED"
    wrong = with_change(
        certificate,
        lambda s, w: (s["basis"][0].update(blocks=[[0], [1], [2], [3]]), w.update(method="gram", prime=101)),
    )
    assert wrong.decision == "REFUTED"
    large = with_change(certified("S:5", 3, 3), lambda s, w: w.update(method="gram", prime=101))
    assert str(MAX_GRAM) in large.reason


def test_a_listed_rule_is_checked_diagram_by_diagram() -> None:
    for name in ("S:2", "A:3", "O:2", "SO:2", "Sp:2", "B:2", "H:2"):
        certificate = certified(name, 3, 3)
        assert with_change(certificate, lambda s, w: w.update(method="rule")).decision == "PROVED", name
    broken = with_change(
        certified("O:2", 3, 3),
        lambda s, w: (w.update(method="rule"), s["basis"][0].update(pairs=[[0, 3], [1, 4], [2, 5]])),
    )
    assert broken.decision == "REFUTED"


@pytest.mark.parametrize("name", ["complete-9", "bipartite-6-6", "star-12", "complete-20"])
def test_graphs_with_many_automorphisms(name: str) -> None:
    certificate = certified(f"Aut:{name}", 2, 1)
    verdict = check(certificate)
    assert verdict.decision == "PROVED"
    assert "the stated edges" in verdict.trusts
    twice = with_change(certificate, lambda s, w: s["basis"].__setitem__(1, s["basis"][0]))
    assert twice.reason == "orbits 0 and 1 are the same"
    fewer = with_change(certificate, lambda s, w: (s["basis"].pop(), s.update(dimension=s["dimension"] - 1)))
    assert "tuples of" in fewer.reason
    other = with_change(certificate, lambda s, w: s.update(edges=s["edges"][2:]))
    assert other.decision == "REFUTED"


LARGE = "perm:213456789,234567891"
"""All permutations of nine points, by two generators: 362 880 elements."""


def test_groups_too_large_to_list_are_traced_tuple_by_tuple() -> None:
    certificate = certified(LARGE, 2, 2)
    assert check(certificate).decision == "PROVED"
    twice = with_change(certificate, lambda s, w: s["basis"].__setitem__(1, s["basis"][0]))
    assert twice.reason == "orbits 0 and 1 are the same"
    other = with_change(certificate, lambda s, w: s["basis"][1].update(representative=[5, 5, 5, 5]))
    assert other.reason == "orbits 0 and 1 are the same"
    fewer = with_change(certificate, lambda s, w: s["basis"].pop())
    assert "orbits are listed of 15" in fewer.reason
    wrong = with_change(certificate, lambda s, w: s.update(dimension=14))
    assert "15 orbits, traced tuple by tuple" in wrong.reason
    # Of the even permutations, a group of half the size, there are as many orbits: the tuples are too short to tell.
    assert check(certified("perm:231456789,124567893", 2, 2)).valid


def test_groups_too_large_to_trace_give_evidence_only(capsys: Capture) -> None:
    code, out, _ = answer(capsys, "basis", LARGE, "3", "3")
    assert code == 0
    assert out.endswith("not certified: the group has more than 50000 elements, and there are too many tuples\n")


def test_the_command(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "basis.json"
    code, out, _ = answer(capsys, "basis", "Sp:4", "3", "3", "--list", "--json", "--out", str(path))
    row = json.loads(out)
    assert code == 0
    assert list(row) == ["group", "k", "l", "dimension", "basis", "certificate", "verdict", "reason"]
    assert row["dimension"] == len(row["basis"]) == 14
    assert row["basis"][0] == {"kind": "brauer", "k": 3, "l": 3, "pairs": [[0, 1], [2, 3], [4, 5]], "free": []}
    inline = tmp_path / "inline.json"
    inline.write_text(json.dumps(row["certificate"]))
    code, out, _ = answer(capsys, "verify", str(path), str(inline), "--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["verdict"] for row in rows] == ["PROVED", "PROVED"]
    assert rows[0]["problem"] == "layer:Sp:4:3:3"
    code, out, _ = answer(capsys, "basis", "A:3", "1", "1", "--list")
    assert code == 0
    assert out.splitlines()[-1] == "A:3, 1 -> 1: dimension 3, certified (triangular)"
    assert out.splitlines()[0] == "partition: blocks [[0, 1]]"
    code, out, _ = answer(capsys, "basis", "S:50", "10", "10", "--json")
    assert json.loads(out)["dimension"] == 51724158235372
    assert "basis" not in json.loads(out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["E:8", "1", "1"], "unknown group"),
        (["Sp:3", "1", "1"], "even dimension"),
        (["S:3", "-1", "1"], "not negative"),
        (["S:3", "x", "1"], "integer"),
        (["S:50", "10", "10", "--list"], "51724158235372 diagrams do not fit in a list"),
        (["O:50", "30", "30"], "too long for the walks"),
        (["Aut:file=nowhere", "1", "1"], "cannot be read"),
        (["S:5", "1000000", "1"], "at most 64 tensor factors"),
    ],
)
def test_bad_input(words: list[str], said: str, capsys: Capture) -> None:
    code, out, err = answer(capsys, "basis", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_nothing_is_written_where_there_is_no_certificate(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        api.basis("O:50", 30, 30, out=tmp_path / "none.json")
    assert list(tmp_path.iterdir()) == []
