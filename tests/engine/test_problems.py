from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.errors import InputError, NotFoundError, ProblemError
from flipforge.problems import (
    PUBLISHED,
    LayerProblem,
    expand,
    is_family,
    layer,
    matmul,
    parse,
    register_kind,
    standard_omega,
    tensor_problem,
)

LAYERS = [
    "layer:S:5:2:2",
    "layer:SO:3:1:1",
    "layer:Aut:petersen:2:2",
    "layer:Aut:star-4:1:1",
    "layer:Aut:bipartite-3-3:1:1",
    "layer:Aut:g6=DQc:2:2",
    "layer:Aut:file=edges.txt:2:2",
]


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32))
def test_the_matmul_tensor_multiplies_matrices(n: int, m: int, p: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    a, b = generator.integers(-9, 9, (n, m)), generator.integers(-9, 9, (m, p))
    c = np.zeros(n * p, dtype=int)
    for (i, j, k), t in matmul(n, m, p).entries:
        c[k] += t * a.reshape(-1)[i] * b.reshape(-1)[j]
    assert np.array_equal(c.reshape(n, p), a @ b)


def test_matmul_states_its_shape_and_labels() -> None:
    problem = parse("matmul:2x3x10")
    assert (problem.name, problem.kind, problem.dims, problem.shape) == (
        "matmul:2x3x10",
        "matmul",
        (2, 3, 10),
        (6, 30, 20),
    )
    assert problem.labels[0] == ("a11", "a12", "a13", "a21", "a22", "a23")
    assert problem.labels[1][9] == "b1_10"
    assert problem.labels[2][-1] == "c2_10"
    assert problem == matmul(2, 3, 10)
    assert problem != matmul(2, 10, 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "matmul",
        "matmul:",
        "matmul:2x2",
        "matmul:2x2x2x2",
        "matmul:0x2x2",
        "matmul:-1x2x2",
        "matmul:2x2x2 ",
        "matmul:2x2x\n2",
        "matmul:" + "2" * 5000,
        "matmul:99x99x99",
        "matmul:9999999x1x1",
        "matmul:axbxc",
        "unknown:2",
        "tensor:sha256=00",
        "commutative:2x2",
        "commutative:0x2x2",
        "commutative:99x99x99",
        "border:0:matmul:2x2x2",
        "border:32:matmul:2x2x2",
        "border:1",
        "border:1:",
        "border:x:matmul:2x2x2",
        "border:1:border:1:matmul:2x2x2",
        "border:1:commutative:2x2x2",
        "border:1:nonsense",
        "border:1:poly:0x1",
        "structured:zz:3",
        "layer:S:5",
        "layer:S:5:-1:2",
        "layer:S:0:1:1",
        "layer:S:5:100:1",
        "border:1:layer:S:5:2:2",
        "group:C0",
    ],
)
def test_what_is_no_problem(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
    assert "come with" not in str(caught.value)


@pytest.mark.parametrize("text", LAYERS)
def test_layers_say_group_and_axes(text: str) -> None:
    problem = parse(text)
    assert isinstance(problem, LayerProblem)
    group, k, l = text.removeprefix("layer:").rsplit(":", 2)
    assert (problem.name, problem.group, problem.k, problem.l) == (text, group, int(k), int(l))
    assert layer(group, int(k), int(l)) == problem


def test_a_layer_of_a_graph_does_not_tell_its_size() -> None:
    assert layer("Sp:4", 1, 1).n == 4
    with pytest.raises(ProblemError, match="does not tell how long"):
        _ = layer("Aut:petersen", 1, 1).n


def test_a_kind_that_is_taken_is_refused() -> None:
    with pytest.raises(ProblemError, match="already registered"):
        register_kind("matmul", parse)


def test_families() -> None:
    assert not is_family("matmul:2x2x2")
    assert not is_family("tensor:a2..5,7.npz")
    assert expand("matmul:2x2x2") == ["matmul:2x2x2"]
    expected = [f"matmul:{n}x{m}x{p}" for n, m, p in product((2, 3), (4, 7), (5,))]
    assert expand("matmul:2..3x4,7x5") == expected
    with pytest.raises(ProblemError, match=r"the range 5\.\.2 is empty"):
        expand("matmul:5..2x2x2")
    with pytest.raises(ProblemError, match="more than 10000"):
        expand("matmul:1..99x1..99x1..99")
    assert len(expand("matmul:1..30x1..30x1..30", limit=None)) == 27_000


def test_families_of_structured_products() -> None:
    assert is_family("structured:*:3")
    assert is_family("structured:ug,gt:3")
    assert not is_family("structured:*")
    assert not is_family("structured:u.2gg:4")
    everything = expand("structured:*:1..5")
    assert len(everything) == 5 * len(PUBLISHED) - 5
    assert not {f"structured:{code}:1" for code in ("kg", "uk", "sk", "kk", "kt")} & set(everything)
    assert all(parse(name).name == name for name in everything)
    assert expand("structured:*:2x3") == [f"structured:{code}:2x3" for code in ("ug", "sg", "kg", "wg", "gt")]
    assert expand("structured:ug,tl:2..3") == [f"structured:{code}:{n}" for code in ("ug", "tl") for n in (2, 3)]
    assert expand("structured:gt:2,4x3:a,c") == [
        f"structured:gt:{n}x3:{corner}" for n in (2, 4) for corner in ("a", "c")
    ]
    assert expand("structured:g1..2g,uu:3") == ["structured:g1g:3", "structured:g2g:3", "structured:uu:3"]
    assert expand("structured:u.2..3gg:6") == ["structured:u.2gg:6", "structured:u.3gg:6"]
    # A code that is named stands, and its problem is refused where it is parsed.
    assert expand("structured:kg:1..2") == ["structured:kg:1", "structured:kg:2"]


def test_a_pattern_of_a_catalogue_keeps_its_star() -> None:
    assert expand("structured:*:2..3", pattern=True) == ["structured:*:2", "structured:*:3"]
    assert expand("structured:*:4", pattern=True) == ["structured:*:4"]


def test_families_of_other_kinds() -> None:
    assert expand("poly:1..2x3") == ["poly:1x3", "poly:2x3"]
    assert expand("group:C2..3,S3,Q8") == ["group:C2", "group:C3", "group:S3", "group:Q8"]
    assert expand("complex:1..2x2x2") == ["complex:1x2x2", "complex:2x2x2"]
    assert not is_family("complex")
    assert not is_family("group:D4")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("structured:*:5..2", "the range 5..2 is empty"),
        ("structured:*:2x3x4x5", "not of the form structured:CODE:N"),
        ("structured:*:1:a", "no published code has problems of these sizes"),
        ("structured:*:1..501", "10020 problems are more than 10000"),
        ("structured:*:33", "35937 elementary products are more than the limit"),
        ("structured:*:2:d", "not of the form"),
    ],
)
def test_families_without_members_are_answered_in_one_line(text: str, words: str) -> None:
    with pytest.raises(ProblemError, match=words) as caught:
        expand(text)
    assert len(str(caught.value)) < 160


def test_standard_omega() -> None:
    assert standard_omega(matmul(2, 2, 2), 8) == pytest.approx(3)
    assert standard_omega(matmul(2, 2, 2), 7) == pytest.approx(np.log2(7))
    assert standard_omega(matmul(1, 1, 1), 1) is None
    assert standard_omega(tensor_problem((1, 1, 1), [((0, 0, 0), 1)]), 1) is None


def test_tensors_are_named_by_content(tmp_path: Path) -> None:
    coords, values = np.array([[1, 0, 1], [0, 1, 0]]), np.array([-3, 1])
    np.savez(tmp_path / "t.npz", shape=[2, 2, 3], coords=coords, values=values)
    np.savez_compressed(tmp_path / "same.npz", shape=[2, 2, 3], coords=coords[::-1].copy(), values=values[::-1].copy())
    np.save(tmp_path / "coo.npy", np.asfortranarray(np.column_stack([coords, values])))
    first, same, coo = (parse(f"tensor:{tmp_path / name}") for name in ("t.npz", "same.npz", "coo.npy"))
    assert first == same
    assert first.name.startswith("tensor:sha256=")
    assert first.shape == (2, 2, 3)
    assert dict(first.tensor) == {(1, 0, 1): -3, (0, 1, 0): 1}
    assert coo.shape == (2, 2, 2)
    assert coo != first


@pytest.mark.parametrize(
    "arrays",
    [
        {"shape": [2, 2, 2], "coords": [[0, 0, 0]]},
        {"shape": [2, 2], "coords": [[0, 0, 0]], "values": [1]},
        {"shape": [2, 2, 2], "coords": [[0, 0, 2]], "values": [1]},
        {"shape": [2, 2, 2], "coords": [[0, 0, -1]], "values": [1]},
        {"shape": [2, 2, 2], "coords": [[0, 0, 0], [0, 0, 0]], "values": [1, 1]},
        {"shape": [2, 2, 2], "coords": [[0, 0, 0]], "values": [0]},
        {"shape": [2, 2, 2], "coords": [[0, 0, 0]], "values": [1.0]},
        {"shape": [2, 2, 2], "coords": [[0, 0, 0]], "values": [1, 2]},
        {"shape": [2, 2, 2], "coords": [0, 0, 0], "values": [1]},
        {"shape": [2, 2, 9999], "coords": [[0, 0, 0]], "values": [1]},
        {"other": [1]},
    ],
)
def test_what_is_no_tensor(arrays: dict[str, list[int]], tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(ProblemError) as caught:
        parse(f"tensor:{tmp_path / 't.npz'}")
    assert "t.npz" in str(caught.value)


def test_files_that_hold_no_array(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        parse(f"tensor:{tmp_path / 'absent.npz'}")
    pickled = tmp_path / "pickled.npy"
    np.save(pickled, np.array([{}], dtype=object), allow_pickle=True)
    huge = tmp_path / "huge.npy"
    huge.write_bytes(
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<i8', 'fortran_order': False, 'shape': (999999999999, 4), }".ljust(117)
        + b"\n"
    )
    flat = tmp_path / "flat.npy"
    np.save(flat, np.arange(8))
    empty = tmp_path / "empty.npz"
    empty.write_bytes(b"")
    for path in (pickled, huge, flat, empty):
        with pytest.raises(InputError, match=path.name):
            parse(f"tensor:{path}")
