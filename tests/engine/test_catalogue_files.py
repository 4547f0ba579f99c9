"""The catalogue as files: the table of known ranks, dumps, and what comes with flipforge."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from catalogue_samples import find, record, standard, step, strassen, variants
from flipforge.catalogue import SqliteStore, best, best_known, dump, shipped_schemes
from flipforge.catalogue._records import Item, prove
from flipforge.catalogue._shipped import shipped_items
from flipforge.errors import CatalogueError, FlipforgeError, FormatError, InputError, MalformedError
from flipforge.problems import PUBLISHED, parse, tensor_problem
from flipforge.rings import GF2, GF3, RINGS, ZT, HalfZ, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import dump_native
from flipforge.search import Entry


def table() -> list[dict[str, str]]:
    with (shipped_schemes() / "best_known.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_known_ranks_are_well_formed() -> None:
    rows = table()
    assert list(rows[0]) == ["problem", "ring", "rank", "source", "lower_bound", "lower_bound_source"]
    assert len({(row["problem"], row["ring"]) for row in rows}) == len(rows) > 2000
    for row in rows:
        assert row["ring"] in RINGS
        assert row["source"]
        assert bool(row["lower_bound"]) == bool(row["lower_bound_source"])
        assert int(row["lower_bound"] or 1) <= int(row["rank"])


def test_known_ranks_of_matrix_products_lie_between_the_trivial_ones() -> None:
    rows = [row for row in table() if row["problem"].startswith("matmul:")]
    assert len(rows) > 2000
    for row in rows:
        n, m, p = map(int, row["problem"].removeprefix("matmul:").split("x"))
        assert n <= m <= p
        assert row["problem"] == f"matmul:{n}x{m}x{p}"
        assert n * m * p >= int(row["rank"]) >= m * p
        if row["lower_bound"]:
            assert m * p < int(row["lower_bound"])


def test_known_ranks_of_structured_products_lie_below_the_standard_algorithm() -> None:
    rows = [row for row in table() if row["problem"].startswith("structured:")]
    assert {row["problem"].split(":")[1] for row in rows} == set(PUBLISHED)
    for name in {row["problem"] for row in rows}:
        problem = parse(name)
        assert problem.name == name
        ranks = {row["ring"]: int(row["rank"]) for row in rows if row["problem"] == name}
        assert max(ranks.values()) < len(problem.entries)
        assert {"GF2", "GF3", "Z", "Q"} <= ranks.keys()
        # An integer scheme holds modulo every prime, one over Z[1/2] modulo 3 as well.
        assert max(ranks["GF2"], ranks["GF3"], ranks["Q"]) <= ranks["Z"] <= ranks.get("ZT", ranks["Z"])
        assert ranks["GF3"] <= ranks.get("Z[1/2]", ranks["Z"])


def test_general_times_general_is_known_as_the_matrix_product() -> None:
    for n in range(2, 6):
        for ring in ("GF2", "ZT", "Z", "Q"):
            assert best_known(f"structured:gg:{n}", ring) == best_known(f"matmul:{n}x{n}x{n}", ring)


def test_known_ranks_fall_as_the_ring_grows() -> None:
    ranks = {(row["problem"], row["ring"]): int(row["rank"]) for row in table()}
    for (problem, ring), rank in ranks.items():
        if ring == "ZT":
            assert ranks[problem, "Q"] <= ranks[problem, "Z"] <= rank
            assert ranks.get((problem, "GF2"), 0) <= ranks[problem, "Z"]


@pytest.mark.parametrize(
    ("problem", "ring", "rank", "bound"),
    [
        ("matmul:2x2x2", "GF2", 7, 7),
        ("matmul:2x2x2", "Q", 7, 7),
        ("matmul:2x2x3", "Q", 11, 11),
        ("matmul:2x2x5", "GF2", 18, 18),
        ("matmul:2x2x5", "Q", 18, None),
        ("matmul:2x3x3", "ZT", 15, 15),
        ("matmul:3x3x3", "Q", 23, 19),
        ("matmul:3x3x3", "GF2", 23, 20),
        ("matmul:3x3x4", "Q", 29, 24),
        ("matmul:4x4x4", "GF2", 47, 34),
        ("matmul:4x4x4", "ZT", 49, 34),
        ("matmul:3x4x5", "GF2", 47, None),
        ("structured:gt:4", "GF2", 34, None),
        ("structured:gt:4:c", "Q", 26, None),
        ("structured:ss:2", "GF2", 6, None),
        ("structured:ss:2", "GF3", 5, None),
        ("structured:ss:2", "Z[1/2]", 5, None),
        ("structured:gg:4", "GF2", 47, 34),
    ],
)
def test_known_ranks(problem: str, ring: str, rank: int, bound: int | None) -> None:
    known = best_known(problem, ring)
    assert known is not None
    assert (known.rank, known.lower_bound) == (rank, bound)


def test_known_ranks_do_not_depend_on_the_order_of_the_sizes() -> None:
    known = best_known("matmul:2x3x10", "Q")
    assert known is not None
    assert best_known("matmul:10x3x2", "Q") == known


@pytest.mark.parametrize(("problem", "ring"), [("matmul:9x9x9", "GF2"), ("matmul:2x2x2", "GF3"), ("complex", "Q")])
def test_where_no_rank_is_known_none_is_given(problem: str, ring: str) -> None:
    assert best_known(problem, ring) is None


RANKS_OF_TWO = {
    **{"gg": 7, "sg": 6, "wg": 6, "us": 5, "uw": 5, "ss": 6, "sk": 3, "sw": 6},
    **{"kk": 1, "ww": 6, "st": 4, "kt": 1, "wt": 4},
}


def keys(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


@pytest.fixture
def filled(store: SqliteStore) -> SqliteStore:
    four = standard("matmul:10x2x2")
    store.commit([Entry(scheme, "derived") for scheme in (standard(), standard(ring=ZT), four)])
    store.commit([Entry(strassen(GF2), "imported", source="a.json"), Entry(standard(ring=GF3), "derived")])
    store.commit([find(scheme, standard()) for scheme in variants(6)], record())
    return store


def test_best_compares_with_what_is_known(filled: SqliteStore) -> None:
    rows = best(filled)
    assert keys(rows, "problem", "ring", "rank", "best_known", "gap", "lower_bound") == [
        ("matmul:2x2x2", "GF2", 8, 7, 1, 7),
        ("matmul:2x2x2", "GF3", 8, None, None, None),
        ("matmul:2x2x2", "ZT", 8, 7, 1, 7),
        ("matmul:10x2x2", "GF2", 40, None, None, None),
    ]
    known = best_known("matmul:2x2x2", "ZT")
    assert known is not None
    assert keys(rows, "source", "lower_bound_source")[2] == (known.source, known.lower_bound_source)
    assert keys(rows, "source", "lower_bound_source")[1] == (None, None)


def test_best_takes_imports_when_told_to(filled: SqliteStore) -> None:
    rows = best(filled, "matmul:2x2x2", ring="gf2", origin="imported,found")
    assert keys(rows, "id", "rank", "gap", "origin") == [(strassen(GF2).id, 7, 0, "imported")]
    assert keys(best(filled, ring="GF2", origin="found"), "rank") == [(10,)]


def test_best_prefers_fewer_additions(store: SqliteStore) -> None:
    schemes = variants(30)
    store.commit([Entry(scheme, "derived") for scheme in schemes])
    least = min(row["additions"] for row in store.rows())
    assert keys(best(store), "additions") == [(least,)]
    assert least < max(row["additions"] for row in store.rows())


def test_best_lists_what_was_asked_for_and_is_not_there(filled: SqliteStore) -> None:
    rows = best(filled, "matmul:2..3x2x2,9")
    assert keys(rows, "problem", "ring", "rank", "best_known", "gap") == [
        ("matmul:2x2x2", "GF2", 8, 7, 1),
        ("matmul:2x2x2", "GF3", 8, None, None),
        ("matmul:2x2x2", "ZT", 8, 7, 1),
        *[("matmul:2x2x9", ring, None, 32, None) for ring in ("ZT", "Z", "Q")],
        *[("matmul:3x2x2", ring, None, 11, None) for ring in ("GF2", "ZT", "Z", "Q")],
        *[("matmul:3x2x9", ring, None, 45, None) for ring in ("ZT", "Z", "Q")],
    ]
    assert all(row["id"] is None for row in rows[3:])
    assert list(rows[0]) == list(rows[3])
    assert keys(best(filled, "matmul:9x9x9", ring="GF2"), "ring", "best_known") == [("GF2", None)]
    assert keys(best(filled, "matmul:20x20x20"), "ring", "best_known") == [(None, None)]
    assert best(filled, "matmul:5*") == []


def test_best_lists_the_published_codes_and_others_that_are_there(store: SqliteStore) -> None:
    store.commit([Entry(standard(name), "derived") for name in ("structured:lg:2", "structured:ss:2")])
    rows = best(store, "structured:*:2", ring="GF2")
    assert keys(rows, "problem", "rank", "best_known") == [
        *[("structured:" + code + ":2", {"ss": 8}.get(code), RANKS_OF_TWO.get(code)) for code in PUBLISHED],
        ("structured:lg:2", 6, None),
    ]
    assert keys(best(store, "structured:*"), "problem") == [("structured:lg:2",), ("structured:ss:2",)]


def test_a_dump_is_a_catalogue(filled: SqliteStore, tmp_path: Path) -> None:
    end = standard("matmul:2x2x1")
    filled.commit([Entry(end, "derived", step(end, variants(6)[0], method="project"), source="by hand")])
    filled.commit([Entry(replace(strassen(ZT), provenance={"author": "V. Strassen"}), "derived")])
    folder = tmp_path / "out" / "files"
    rows = dump(filled, folder)
    assert {row["file"] for row in rows} == {str(file) for file in folder.iterdir()}
    assert all(row["written"] for row in rows)
    assert {row["origin"] for row in rows} == {"found", "derived"}
    name = f"matmul-2x2x2_ZT_r7_{strassen(ZT).id}.json"
    assert str(folder / name) in {row["file"] for row in rows}
    with SqliteStore.open(tmp_path / "second.db", shipped=folder) as second:
        again = tmp_path / "again"
        dump(second, again)
        told = ("id", "rank", "origin", "run", "source")
        own = [row for row in filled.rows() if row["origin"] != "imported"]
        assert keys(second.rows(), *told) == keys(own, *told)
        assert second.lineage(end.id) == filled.lineage(end.id) != []
    assert {file.name: file.read_bytes() for file in again.iterdir()} == {
        file.name: file.read_bytes() for file in folder.iterdir()
    }


def test_a_dump_leaves_alone_what_is_right(filled: SqliteStore, tmp_path: Path) -> None:
    rows = dump(filled, tmp_path / "out", problem="matmul:2x2x2", ring="GF2", origin="found")
    first, second = (Path(row["file"]) for row in rows[:2])
    inode = first.stat().st_ino
    text = second.read_text()
    second.write_text("something else")
    (tmp_path / "out" / "other.txt").write_text("not ours")
    again = dump(filled, tmp_path / "out", problem="matmul:2x2x2", ring="GF2", origin="found")
    assert [row["written"] for row in again] == [False, True, False, False, False, False]
    assert first.stat().st_ino == inode
    assert second.read_text() == text
    assert len(list((tmp_path / "out").iterdir())) == 7


def test_a_dump_of_the_best(filled: SqliteStore, tmp_path: Path) -> None:
    rows = dump(filled, tmp_path, only_best=True)
    assert keys(rows, "id") == keys(best(filled), "id")


def test_names_of_dumped_files_hold_no_odd_signs(store: SqliteStore, tmp_path: Path) -> None:
    problem = tensor_problem((1, 1, 1), [((0, 0, 0), 3)])
    half = Scheme(parse("matmul:1x1x1"), HalfZ, ((1,), (1,)), ((1,), (1,)), ((Fraction(1, 2),), (Fraction(1, 2),)))
    store.commit([Entry(standard_scheme(problem, Z), "derived"), Entry(half, "derived")])
    short = problem.name.removeprefix("tensor:sha256=")[:12]
    assert [Path(row["file"]).name for row in dump(store, tmp_path / "out")] == [
        f"matmul-1x1x1_Z-1-2_r2_{half.id}.json",
        f"tensor-sha256-{short}_Z_r1_{standard_scheme(problem, Z).id}.json",
    ]


def test_a_dump_to_a_place_that_is_none(filled: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=str(tmp_path / "file")) as error:
            dump(filled, folder)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError):
        dump(filled, tmp_path / "new", origin="stolen")
    assert not (tmp_path / "new").exists()


def shipped(folder: Path, scheme: Scheme, **provenance: Any) -> Path:
    path = folder / f"{scheme.id}.json"
    path.write_text(dump_native(replace(scheme, provenance={"origin": "derived", **provenance})), encoding="utf-8")
    return path


def test_the_shipped_folder_is_the_one_of_the_tree(root: Path) -> None:
    assert shipped_schemes() == root / "schemes"


def test_a_first_use_loads_what_comes_with_flipforge(tmp_path: Path) -> None:
    names = [file.stem for file in shipped_schemes().glob("*.json")]
    with SqliteStore.open(tmp_path / "x.db") as store:
        rows = store.rows()
        assert {row["id"] for row in rows} == {name.rpartition("_")[2] for name in names}
        assert len(rows) == len(names)
        assert {row["origin"] for row in rows} <= {"found", "derived"}


def test_a_wheel_has_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import flipforge.catalogue._shipped as module

    package = tmp_path / "site-packages" / "flipforge"
    (package / "catalogue").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(package / "catalogue" / "_shipped.py"))
    with pytest.raises(CatalogueError, match="install flipforge again"):
        shipped_schemes()
    (package / "_catalogue").mkdir()
    assert shipped_schemes() == package / "_catalogue"


def test_later_uses_load_only_what_is_new(tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    proved: list[str] = []

    def load_and_note(folder: Path, problem: str | None) -> Iterator[Item]:
        for item in shipped_items(folder, problem):
            loaded.append(item.scheme.id)
            yield item

    def prove_and_note(item: Item) -> dict[str, Any]:
        proved.append(item.scheme.id)
        return prove(item)

    monkeypatch.setattr("flipforge.catalogue._store.shipped_items", load_and_note)
    monkeypatch.setattr("flipforge.catalogue._store.prove", prove_and_note)
    path = tmp_path / "x.db"
    first, second, third = variants(3)
    shipped(empty, first)
    SqliteStore.open(path, shipped=empty).close()
    SqliteStore.open(path, shipped=empty).close()
    assert loaded == proved == [first.id]
    (empty / "sub").mkdir()
    shipped(empty, second)
    shipped(empty / "sub", third, origin="found", run="run-one", lineage=[vars(step(third, first))])
    with SqliteStore.open(path, shipped=empty) as store:
        assert set(loaded[1:]) == {first.id, second.id, third.id}
        assert set(proved[1:]) == {second.id, third.id}
        assert store.lineage(third.id) == [step(third, first)]
        assert store.row(third.id)["run"] == "run-one"
    shipped(empty, strassen(GF2), note="longer").replace(empty / f"{first.id}.json")
    with SqliteStore.open(path, shipped=empty) as store:
        assert len(store.rows()) == 4


def test_a_use_of_one_problem_loads_its_files_only_and_the_next_use_the_others(tmp_path: Path, empty: Path) -> None:
    def held(problem: str | None) -> set[str]:
        with SqliteStore.open(tmp_path / "x.db", shipped=empty, problem=problem) as store:
            return {row["problem"] for row in store.rows()}

    with SqliteStore.open(tmp_path / "own.db", shipped=empty) as own:
        for name in ("matmul:2x2x2", "matmul:2x2x20", "structured:uk:2"):
            own.commit([Entry(standard_scheme(parse(name), GF2), "derived", source="test")])
        dump(own, empty)
    assert held("matmul:2x2x2") == {"matmul:2x2x2"}
    assert held("structured:uk:2") == {"matmul:2x2x2", "structured:uk:2"}
    assert held(None) == {"matmul:2x2x2", "matmul:2x2x20", "structured:uk:2"}


@pytest.mark.parametrize(
    ("provenance", "kind", "fragment"),
    [
        ({"origin": "stolen"}, InputError, "'stolen' is not one of"),
        ({"origin": None}, InputError, "is not one of"),
        ({"lineage": [{"child": "x"}]}, MalformedError, "lineage"),
        ({"lineage": 5}, MalformedError, "lineage"),
        ({"run": 5}, MalformedError, "must be strings"),
        ({"source": {}}, MalformedError, "must be strings"),
        ({"lineage": [{**vars(step(standard(), strassen())), "seed": ["1"]}]}, MalformedError, "not an integer"),
        ({"lineage": [{**vars(step(standard(), strassen())), "run": 1}]}, MalformedError, "not a string"),
        ({"lineage": [vars(step(strassen(), standard()))]}, InputError, "its lineage leads to"),
    ],
)
def test_provenance_that_cannot_be_trusted(
    tmp_path: Path, empty: Path, provenance: dict[str, Any], kind: type[FlipforgeError], fragment: str
) -> None:
    path = shipped(empty, standard(), **provenance)
    with pytest.raises(kind, match=fragment) as error:
        SqliteStore.open(tmp_path / "x.db", shipped=empty)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("{", MalformedError),
        ("[]", MalformedError),
        ("{}", FormatError),
        (json.dumps({"format": "flipforge-scheme/2"}), FormatError),
        ("\udcff", MalformedError),
    ],
)
def test_a_shipped_file_that_is_no_scheme(
    tmp_path: Path, empty: Path, content: str, kind: type[FlipforgeError]
) -> None:
    (empty / "x.json").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(kind, match=r"x\.json") as error:
        SqliteStore.open(tmp_path / "x.db", shipped=empty)
    assert "\n" not in str(error.value)
