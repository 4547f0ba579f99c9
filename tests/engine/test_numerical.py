"""Schemes in floating-point numbers: found, made exact, and never called proved where they were not."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flipforge import api
from flipforge.certificates import Certificate, check
from flipforge.errors import FlipforgeError, InputError
from flipforge.problems import matmul, parse
from flipforge.rings import ZT, Q, Ring, Z
from flipforge.schemes import standard_scheme
from flipforge.schemes._normal_kernel import normal_equations
from flipforge.schemes.numerical import (
    NumericalScheme,
    _balanced,
    _with_a_fraction,
    find_numerical,
    make_exact,
    refine,
    sparsify,
)

STRASSEN = [
    [[1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1], [1, 1, 0, 0], [-1, 0, 1, 0], [0, 1, 0, -1]],
    [[1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1]],
    [[1, 0, 0, 1], [0, 0, 1, -1], [0, 1, 0, 1], [1, 0, 1, 0], [-1, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]],
]


def moved(noise: float, seed: int = 0) -> NumericalScheme:
    """Strassen's scheme after a change of basis, rescaled, with noise on every entry."""
    generator = np.random.default_rng(seed)
    u, v, w = (np.array(part, dtype=np.float64) for part in STRASSEN)
    # A B = (A X)(X^-1 B)
    x = np.array([[1.0, 1.0], [0.5, 1.0]])
    u = (u.reshape(-1, 2, 2) @ x.T).reshape(7, 4)
    v = (np.linalg.inv(x).T @ v.reshape(-1, 2, 2)).reshape(7, 4)
    scale = generator.uniform(0.5, 2, (2, 7, 1))
    parts = (u * scale[0], v * scale[1], w / scale[0] / scale[1])
    return NumericalScheme(matmul(2, 2, 2), *(part + noise * generator.standard_normal(part.shape) for part in parts))


def document(scheme: NumericalScheme) -> dict[str, Any]:
    return {"problem": scheme.problem.name, **{axis: getattr(scheme, axis).tolist() for axis in "uvw"}}


def certified(content: dict[str, Any], folder: Path, **options: Any) -> dict[str, Any]:
    path = folder / "numerical.json"
    path.write_text(json.dumps(content))
    return api.certify(path, out=folder / "certificate.json", **options)


def jacobian(u: Any, v: Any, w: Any) -> Any:
    """The derivatives of all coefficients by the entries of u, v, w: the slow twin of the kernel makes them."""
    columns = []
    for axis, part in enumerate((u, v, w)):
        for q, i in np.ndindex(part.shape):
            row = np.zeros_like(part)
            row[q, i] = 1
            parts = [row if a == axis else each for a, each in enumerate((u, v, w))]
            columns.append(np.einsum("i,j,k->ijk", *(each[q] for each in parts)).ravel())
    return np.array(columns).T


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 1, 1), (4, 2, 3)])
def test_the_kernel_gives_the_normal_equations(shape: tuple[int, int, int]) -> None:
    generator = np.random.default_rng(0)
    u, v, w = (generator.standard_normal((3, size)) for size in shape)
    difference = generator.standard_normal(shape)
    normal, gradient = normal_equations(u, v, w, difference)
    slow = jacobian(u, v, w)
    np.testing.assert_allclose(normal, slow.T @ slow, atol=1e-12)
    np.testing.assert_allclose(gradient, slow.T @ difference.ravel(), atol=1e-12)
    step = 1e-6
    ahead, behind = (np.einsum("ri,rj,rk->ijk", u + sign * step, v, w) for sign in (1, -1))
    np.testing.assert_allclose(slow[:, : u.size].sum(axis=1), ((ahead - behind) / (2 * step)).ravel(), atol=1e-8)


@pytest.mark.parametrize(("text", "rank", "seed"), [("matmul:2x2x2", 7, 1), ("matmul:2x2x3", 11, 1), ("complex", 3, 0)])
def test_schemes_are_found_numerically_and_made_exact(text: str, rank: int, seed: int) -> None:
    found = find_numerical(parse(text), rank, seed=seed)
    assert found is not None and found.residual < 1e-10
    exact = make_exact(found)
    assert exact is not None
    assert (exact.rank, exact.problem.name, exact.verdict().decision) == (rank, text, "PROVED")


def test_the_gauge_is_fixed_by_zeros() -> None:
    """Strassen's scheme after changes of all three bases has no zero left; the sparsest of its orbit has 48 of 84."""
    generator = np.random.default_rng(5)
    u, v, w = (np.array(part, dtype=np.float64).reshape(7, 2, 2) for part in STRASSEN)
    p, q, r = (np.eye(2) + 0.5 * generator.standard_normal((2, 2)) for _ in range(3))
    # (P A Q)(Q^-1 B R) = P C R
    inverses = [np.linalg.inv(x) for x in (p, q, r)]
    parts = (p.T @ u @ q.T, inverses[1].T @ v @ r.T, inverses[0] @ w @ inverses[2])
    mixed = NumericalScheme(matmul(2, 2, 2), *(part.reshape(7, 4) for part in parts))
    assert mixed.residual < 1e-12
    zeros = sum(int((np.array(part) == 0).sum()) for part in STRASSEN)
    assert sum(int((np.abs(part) < 0.02).sum()) for part in mixed.factors) < zeros / 4
    sparse = sparsify(mixed)
    assert sum(int((np.abs(part) < 0.02).sum()) for part in sparse.factors) >= zeros
    exact = make_exact(mixed)
    assert exact is not None and exact.ring in (ZT, Z)


def test_the_last_freedom_is_given_a_fraction() -> None:
    """Strassen's scheme in a basis that a number t stretches, the root of t^4 + t = 1: t becomes 1/2, or 2."""
    u, v, w = (np.array(part, dtype=np.float64).reshape(7, 2, 2) for part in STRASSEN)
    stretch = np.diag([0.7244919590005157, 1.0])
    parts = [part.reshape(7, 4) for part in (stretch @ u, v, np.linalg.inv(stretch) @ w)]
    scheme = _balanced(NumericalScheme(matmul(2, 2, 2), *parts))
    assert scheme.residual < 1e-12
    sizes = np.abs(np.concatenate([part.ravel() for part in scheme.factors]))
    exact = _with_a_fraction(scheme, (sizes > 1e-9) & (np.abs(sizes - 1) > 1e-9))
    assert exact is not None and exact.verdict().valid
    assert {abs(x) for part in (exact.u, exact.v, exact.w) for row in part for x in row} & {2, Fraction(1, 2)}
    assert _with_a_fraction(scheme, np.zeros(84, dtype=np.bool_)) is None


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "ring"), [(0, ZT), (3, Q)])
def test_the_larger_format_is_made_exact(seed: int, ring: Ring) -> None:
    """The scheme of seed 3 comes to numbers of degree 4 unless its last freedom is given a fraction."""
    found = find_numerical(matmul(2, 3, 3), 15, seed=seed)
    assert found is not None
    exact = make_exact(found, thorough=True)
    assert exact is not None and (exact.rank, exact.verdict().decision) == (15, "PROVED")
    assert exact.ring == ring
    assert (make_exact(found) is None) == (ring == Q)


def test_no_numerical_scheme_has_too_low_a_rank() -> None:
    assert find_numerical(matmul(2, 2, 2), 5, starts=2) is None


def test_refinement_lowers_the_residual_and_moves_only_what_is_free() -> None:
    rough = moved(1e-4)
    free = np.ones(3 * 7 * 4, dtype=np.bool_)
    free[:5] = False
    fine = refine(rough, free=free)
    assert rough.residual > 1e-5 and fine.residual < 1e-10
    np.testing.assert_array_equal(fine.u.ravel()[:5], rough.u.ravel()[:5])


@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-6, 1e-4])
def test_a_noisy_scheme_is_proved_exactly(noise: float, tmp_path: Path) -> None:
    row = certified(document(moved(noise)), tmp_path)
    assert (row["verdict"], row["perturbation"]) == ("PROVED", 0.0)
    (verified,) = api.verify(tmp_path / "certificate.json")
    assert (verified["verdict"], verified["problem"], verified["rank"]) == ("PROVED", "matmul:2x2x2", 7)
    assert api.load(tmp_path / "certificate.json").rank == 7


def test_what_is_no_scheme_is_refuted(tmp_path: Path) -> None:
    content = document(moved(0.0))
    content["w"][0][0] += 1
    row = certified(content, tmp_path)
    assert (row["verdict"], row["certificate"]) == ("REFUTED", None)
    assert "differs from that of the tensor by" in row["reason"]
    assert not (tmp_path / "certificate.json").exists()


def test_a_sum_that_only_comes_near_is_evidence(tmp_path: Path) -> None:
    # x^2 y has border rank 2 and rank 3: two products come as near as one likes, and are never there.
    eps = 1e-3
    shape, entries = [2, 2, 2], [[0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 0, 1]]
    tensor = tmp_path / "w.npz"
    np.savez(tensor, shape=shape, coords=[row[:3] for row in entries], values=[1, 1, 1])
    near = [[1, eps], [1, 0]]
    content = {"problem": f"tensor:{tensor}", "u": near, "v": near, "w": [[1 / eps, 1], [-1 / eps, 0]]}
    row = certified(content, tmp_path)
    assert row["verdict"] == "EVIDENCE"
    assert "proves nothing of its rank" in row["reason"]
    assert 0 < row["perturbation"] < 2e-3
    (verified,) = api.verify(tmp_path / "certificate.json")
    assert verified["verdict"] == "EVIDENCE"


def approximate(**changes: Any) -> str:
    scheme = standard_scheme(matmul(1, 2, 1), Q)
    statement = {"shape": [2, 2, 1], "tensor": [[0, 0, 0, 1], [1, 1, 0, 1]], "rank": 2, "distance": ["1/8", "1/100"]}
    witness = {"u": [["9/8", 0], [0, 1]], "v": [list(row) for row in scheme.v], "w": [list(row) for row in scheme.w]}
    statement |= {key: value for key, value in changes.items() if key in statement}
    witness |= {key: value for key, value in changes.items() if key in witness}
    return check(Certificate("approximate", statement, witness, "")).decision


def test_the_distance_is_checked_exactly() -> None:
    assert approximate() == "EVIDENCE"
    assert approximate(u=[[1, 0], [0, 1]], distance=[0, 0]) == "PROVED"
    assert approximate(distance=[0, "1/9"]) == "REFUTED"
    assert approximate(distance=[1, "1/2"]) == "REFUTED"
    assert approximate(u=[["5/4", 0], [0, 1]]) == "REFUTED"
    for wrong in (
        {"rank": 3},
        {"shape": [2, 2]},
        {"shape": [2, 2, 10**9]},
        {"tensor": [[0, 0, 5, 1]]},
        {"tensor": [[0, 0, 0, 1], [0, 0, 0, 1]]},
        {"distance": [-1, 1]},
        {"u": [[1, 0], [0]]},
        {"u": [[0.5, 0], [0, 1]]},
    ):
        assert approximate(**wrong) == "MALFORMED"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"problem": "matmul:2x2x2", "u": [[1]], "v": [[1]], "w": [[1]]}, "shapes"),
        ({"problem": "matmul:2x2x2", "u": [[1, 2], [1]], "v": [[1]], "w": [[1]]}, "u must be rows of numbers"),
        ({"problem": "matmul:2x2x2", "u": "x", "v": [[1]], "w": [[1]]}, "u must be rows of numbers"),
        ({"problem": 5, "u": [[1]], "v": [[1]], "w": [[1]]}, "problem must be"),
        ({"problem": "matmul:2x", "u": [[1]], "v": [[1]], "w": [[1]]}, "matmul:2x"),
        ({"problem": "commutative:1x1x1", "u": [[1]], "v": [[1]], "w": [[1]]}, "bilinear"),
        ({"problem": "matmul:9x9x9", **{x: np.ones((99, 81)).tolist() for x in "uvw"}}, "more than 3000 entries"),
    ],
)
def test_bad_input_is_one_line(content: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(FlipforgeError, match=words) as caught:
        certified(content, tmp_path)
    assert "\n" not in str(caught.value)


def test_there_is_no_multiplicity(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no option 'multiplicity'"):
        certified(document(moved(0.0)), tmp_path, multiplicity=1)
