"""Layer programs: their counts, what they compute on symbols and on arrays, and what they refuse."""

from itertools import product
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.diagrams import ANY, EVEN, PAIRS, SMALL, Blocks, PartitionDiagram, diagram_matrix, partitions
from flipforge.diagrams import symplectic_matrix as signed_matrix
from flipforge.errors import InputError, MalformedError, VerificationError
from flipforge.programs import (
    LayerProgram,
    Step,
    apply_layer,
    assemble,
    cores,
    evaluate_polynomial,
    halves,
    layer_gradients,
    polynomial_text,
    remaining,
    single,
    whole,
)

Array = npt.NDArray[Any]

SHAPES = list(product(range(4), repeat=2))


def dense(diagram: PartitionDiagram, n: int, symplectic: bool = False) -> Array:
    return (signed_matrix if symplectic else diagram_matrix)(diagram, n).dense()


def shared(k: int, l: int, blocks: Blocks = ANY, symplectic: bool = False) -> LayerProgram:
    diagrams = list(partitions(k, l, blocks))
    return assemble(diagrams, cores(k), cores(l), k=k, l=l, symplectic=symplectic)


def tensor(rng: np.random.Generator, n: int, axes: int, *lead: int) -> Array:
    return rng.integers(-9, 10, (*lead, *([n] * axes)))


@pytest.mark.parametrize(("k", "l"), SHAPES)
@pytest.mark.parametrize(
    ("blocks", "symplectic", "sizes"), [(ANY, False, (2, 3, 4)), (PAIRS, True, (2, 4))], ids=["plain", "symplectic"]
)
def test_every_diagram_equals_its_matrix(
    k: int,
    l: int,
    blocks: Blocks,
    symplectic: bool,
    sizes: tuple[int, ...],
) -> None:
    rng = np.random.default_rng(7)
    for diagram in partitions(k, l, blocks):
        program = single(diagram, symplectic=symplectic)
        for n in sizes:
            x = tensor(rng, n, k, 3)
            wanted = (x.reshape(3, -1) @ dense(diagram, n, symplectic).T).reshape(3, *([n] * l))
            assert np.array_equal(apply_layer(program, x, np.array([1]), n=n), wanted)
            # Sums of small integers are exact in floats.
            assert np.array_equal(apply_layer(program, x.astype(float), np.array([1.0]), n=n), wanted)


@pytest.mark.parametrize(("k", "l"), SHAPES)
@pytest.mark.parametrize(
    ("blocks", "symplectic", "n"),
    [(ANY, False, 3), (EVEN, False, 3), (SMALL, False, 3), (PAIRS, False, 3), (PAIRS, True, 4)],
    ids=["S", "H", "B", "O", "Sp"],
)
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_shared_program_equals_the_sum_of_matrices(
    k: int,
    l: int,
    blocks: Blocks,
    symplectic: bool,
    n: int,
    engine: Literal["numpy", "numba"],
) -> None:
    diagrams = list(partitions(k, l, blocks))
    program = assemble(diagrams, cores(k), cores(l), k=k, l=l, symplectic=symplectic)
    assert program.diagrams == tuple(diagrams)
    assert program.transposed().diagrams == tuple(diagram.flip() for diagram in diagrams)
    rng = np.random.default_rng(k + 4 * l)
    weights = rng.integers(-3, 4, len(diagrams))
    matrix = sum((w * dense(d, n, symplectic) for w, d in zip(weights, diagrams, strict=True)), np.zeros((n**l, n**k)))
    # Ten tensors: the kernel takes eight side by side and two one by one.
    x = tensor(rng, n, k, 10).astype(float)
    wanted = (x.reshape(10, -1) @ matrix.T).reshape(10, *([n] * l))
    assert np.array_equal(apply_layer(program, x, weights.astype(float), n=n, engine=engine), wanted)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_channels_are_mixed_by_the_weights(engine: Literal["numpy", "numba"]) -> None:
    program = shared(2, 1)
    rng = np.random.default_rng(1)
    weights = rng.integers(-3, 4, (3, 2, program.weights)).astype(float)
    x = tensor(rng, 4, 2, 9, 2).astype(float)
    y = apply_layer(program, x, weights, engine=engine)
    assert y.shape == (9, 3, 4)
    for output in range(3):
        parts = [apply_layer(program, x[:, i], weights[output, i], engine=engine) for i in range(2)]
        assert np.array_equal(y[:, output], parts[0] + parts[1])


def _odd(x: Array, kind: str) -> Array:
    match kind:
        case "fortran":
            return np.asfortranarray(x)
        case "reversed":
            return np.ascontiguousarray(x[..., ::-1, ::-1])[..., ::-1, ::-1]
        case "read-only":
            x = x.copy()
            x.flags.writeable = False
            return x
        case "sliced":
            return np.repeat(x, 2, axis=-1)[..., ::2]
        case _:
            return x.astype(kind)


@pytest.mark.parametrize(
    "kind", ["fortran", "reversed", "read-only", "sliced", "float32", "int32", "float64", "object"]
)
@pytest.mark.parametrize("batch", [1, 9])
def test_odd_inputs_give_the_same_and_stay_as_they_are(kind: str, batch: int) -> None:
    program = shared(2, 2)
    rng = np.random.default_rng(3)
    x = tensor(rng, 5, 2, batch).astype(float)
    weights = rng.integers(-3, 4, program.weights)
    wanted = apply_layer(program, x.astype(int), weights)
    given_x = _odd(x, kind)
    before = given_x.copy()
    y = apply_layer(program, given_x, weights.astype(given_x.dtype))
    assert np.array_equal(y, wanted)
    assert np.array_equal(given_x, before)
    assert y.dtype == given_x.dtype


def test_gradients_equal_differences() -> None:
    rng = np.random.default_rng(5)
    for program, n in ((shared(2, 2), 3), (shared(1, 3, PAIRS, symplectic=True), 4), (shared(0, 2), 3)):
        x, gy = rng.normal(size=(4, 2, *([n] * program.k))), rng.normal(size=(4, 3, *([n] * program.l)))
        weights = rng.normal(size=(3, 2, program.weights))
        gx, gw = layer_gradients(program, x, weights, gy, n=n)
        dx, dw = rng.normal(size=x.shape), rng.normal(size=weights.shape)
        # The layer is linear in each argument, so differences are exact but for rounding.
        assert np.isclose((gy * apply_layer(program, dx, weights, n=n)).sum(), (gx * dx).sum())
        assert np.isclose((gy * apply_layer(program, x, dw, n=n)).sum(), (gw * dw).sum())


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_choice_of_intermediates_gives_the_same_map(data: st.DataObject) -> None:
    k, l = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    every = list(partitions(k, l))
    diagrams = data.draw(st.lists(st.sampled_from(every), min_size=1, max_size=6, unique=True))
    sources = data.draw(st.lists(st.sampled_from(cores(k)), max_size=5))
    sinks = data.draw(st.lists(st.sampled_from(cores(l)), max_size=5))
    program = assemble(diagrams, sources, sinks, k=k, l=l)
    assert program.diagrams == tuple(diagrams)
    # What a program counts is what its instructions touch, and never less than one element for each cross block.
    crossing = [0] * (k + l + 1)
    for diagram in diagrams:
        crossing[len(set(diagram.labels[:l]) & set(diagram.labels[l:]))] += 1
    assert program.cost(100) >= evaluate_polynomial(crossing, 100)


def test_counts() -> None:
    """The counts of the programs with all intermediates, against those of field/diagrams.md, section 4.5."""
    assert polynomial_text(shared(2, 2).operations) == "6n^2 + 13n + 4"
    assert polynomial_text(shared(3, 3).operations) == "12n^3 + 84n^2 + 110n + 25"
    assert polynomial_text(shared(3, 3, PAIRS).operations) == "6n^3 + 6n^2 + 9n"
    assert polynomial_text(shared(4, 4, PAIRS).operations) == "24n^4 + 12n^3 + 72n^2 + 6n + 9"


def test_a_count_is_the_number_of_elements_touched() -> None:
    """Each instruction, carried out by an explicit loop over the values of its blocks, adds once a value."""
    program, n = shared(2, 2), 3
    x, weights = np.arange(9).reshape(3, 3), np.arange(1, program.weights + 1)
    registers = [np.zeros([n] * order, dtype=int) for order in program.orders]
    registers[0][...] = x
    touched = 0
    for step in program.steps:
        for values in product(range(n), repeat=step.diagram.size):
            index = [values[label] for label in step.diagram.labels]
            above, below = tuple(index[: step.diagram.l]), tuple(index[step.diagram.l :])
            factor = 1 if step.weight is None else weights[step.weight]
            registers[step.target][above] += factor * registers[step.source][below]
            touched += 1
    assert touched == program.cost(n)
    assert np.array_equal(registers[1], apply_layer(program, x, weights))


def test_remaining_sums() -> None:
    row_sums = next(core for core in cores(2) if core == halves(PartitionDiagram(2, 1, (0, 0, 1)))[0])
    total = halves(PartitionDiagram(2, 0, (0, 1)))[0]
    trace = halves(PartitionDiagram(2, 0, (0, 0)))[0]
    assert remaining(row_sums, total) == 1
    assert remaining(whole(2), total) == 2
    assert remaining(row_sums, trace) is None
    assert remaining(total, row_sums) is None


CAP = PartitionDiagram(2, 0, (0, 0))
LINE = PartitionDiagram(1, 1, (0, 0))


@pytest.mark.parametrize(
    ("orders", "steps", "message"),
    [
        ((1,), (), "an input, an output"),
        ((1, 1), (Step(2, 0, LINE, 0),), "names a register"),
        ((1, 1), (Step(1, 0, CAP, 0),), "does not fit its registers"),
        ((1, 1), (Step(0, 0, LINE),), "writes the input"),
        ((1, 1, 1), (Step(1, 2, LINE, 0), Step(2, 0, LINE)), "was read already"),
    ],
)
def test_broken_program_is_refused(orders: tuple[int, ...], steps: tuple[Step, ...], message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        LayerProgram(orders, steps)


def test_symbols_show_a_wrong_program() -> None:
    swap = PartitionDiagram(2, 2, (0, 1, 1, 0))
    right = assemble([swap], [], [], k=2, l=2)
    assert right.diagrams == (swap,)
    twice = LayerProgram(right.orders, right.steps * 2)
    with pytest.raises(VerificationError, match="factor 1"):
        _ = twice.diagrams
    bare = LayerProgram((1, 1), (Step(1, 0, LINE),))
    with pytest.raises(VerificationError, match="without a weight"):
        _ = bare.diagrams
    chained = LayerProgram((1, 1, 1), (Step(2, 0, LINE, 0), Step(1, 2, LINE, 1)))
    with pytest.raises(VerificationError, match="one path"):
        _ = chained.diagrams


@pytest.mark.parametrize(
    ("shape", "weights", "n", "message"),
    [
        ((3, 4), (15,), None, "must all have length"),
        ((3,), (15,), None, "the layer takes 2 axes"),
        ((3, 3), (14,), None, "weights have shape"),
        ((3, 3), (15,), 4, "must all have length n = 4"),
        ((3, 3), (2, 1, 15), None, "after that of channels"),
        ((3, 3, 3), (2, 1, 15), None, "x has 3 channels"),
    ],
)
def test_wrong_shape_is_refused(shape: tuple[int, ...], weights: tuple[int, ...], n: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        apply_layer(shared(2, 2), np.zeros(shape), np.zeros(weights), n=n)


def test_what_an_engine_cannot_take_is_refused() -> None:
    with pytest.raises(InputError, match="use engine='numpy'"):
        apply_layer(shared(1, 1), np.arange(3), np.arange(2), engine="numba")
    with pytest.raises(InputError, match="does not show n"):
        apply_layer(shared(0, 1), np.array(1.0), np.ones(1))
    with pytest.raises(InputError, match="needs an even n"):
        apply_layer(shared(1, 1, PAIRS, symplectic=True), np.ones(3), np.ones(1))
