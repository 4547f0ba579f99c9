"""bench/exact.py: its matrices are what it says, and programs that disagree end the run."""

import numpy as np
import pytest

from flipforge import exact
from flipforge.rings import GF7
from test_bench import load

linear = load("exact")


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        linear.arguments(["--help"])
    assert caught.value.code == 0
    assert "--large" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["--shapes", "0x3"], ["--shapes", "3"], ["--peers", "magma"], ["--repeats", "0"]], ids=" ".join
)
def test_bad_arguments(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        linear.arguments(words)
    assert caught.value.code == 2


def test_jacobian_is_that_of_a_trilinear_map() -> None:
    """The derivative of a form of degree 3 times the point is 3 times the form, here the tensor."""
    scheme = linear.strassen()
    assert scheme.verdict().valid
    x = [value for rows in (scheme.u, scheme.v, scheme.w) for row in rows for value in row]
    residues = scheme.over(GF7)
    tensor = np.zeros(scheme.problem.shape, dtype=int)
    for index, value in scheme.problem.entries:
        tensor[index] = value
    assert np.array_equal(linear.jacobian(residues) @ np.array(x) % 7, 3 * tensor.reshape(-1) % 7)


def test_small_run(capsys: pytest.CaptureFixture[str]) -> None:
    options = linear.arguments(["--shapes", "20x30", "--no-strassen", "--repeats", "1", "--peers", "flint"])
    for name, matrix, p in linear.matrices(options):
        row = linear.measure(name, matrix, p, options)
        assert (row.rank, list(row.seconds)) == (exact.rank(matrix, p), ["flipforge", "flint"])
        assert linear.cells(row, options.peers)[:3] == ["random", str(p), "20x30"]


def test_disagreement_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(linear.PEERS, "flint", ("flint", lambda matrix, p, random: (5, 0.0)))
    options = linear.arguments(["--repeats", "1", "--peers", "flint"])
    with pytest.raises(SystemExit, match="our rank is 2, that of flint 5"):
        linear.measure("random", np.eye(2, dtype=np.uint8), 2, options)
