"""Buffer schedules: proven on symbols, run on numbers, and wrong ones caught."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import divided_strassen, strassen
from flipforge.errors import InputError, VerificationError
from flipforge.problems import commutative, matmul
from flipforge.programs import evaluate, program
from flipforge.rings import GF2, GF3, ZT, Z
from flipforge.schemes import standard_scheme, winograd_scheme
from flipforge_codegen.passes import MODES, Combine, Multiply, Schedule, schedule, share
from strategies import schemes

STRASSEN = share(program(strassen()), "pair")


def run(found: Schedule, a: Any, b: Any) -> Any:
    """Run a schedule on numbers, in places that hold rubbish at first."""
    memory: dict[Any, Any] = {(kind, i): 999_999 for kind in "cstp" for i in range(99)}
    memory |= {("a", i): x for i, x in enumerate(a)} | {("b", i): x for i, x in enumerate(b)}
    for step in found.steps:
        if isinstance(step, Multiply):
            memory[step.target] = memory[step.left] * memory[step.right]
        else:
            memory[step.target] = sum((x * memory[place] for x, place in step.terms), 0)
    p = found.ring.characteristic
    result = [memory["c", k] for k in range(found.problem.shape[2])]
    return [x % p for x in result] if p else result


@given(schemes([GF2, GF3, ZT, Z]), st.sampled_from(MODES), st.booleans(), st.integers(0, 9))
@settings(max_examples=60)
def test_schedule_computes_the_problem(scheme: Any, mode: str, square: bool, seed: int) -> None:
    whole = share(program(scheme), "pair")
    found = schedule(whole, mode, square=square, tries=5, seed=seed)
    draw = np.random.default_rng(seed)
    a, b = (draw.integers(-9, 9, size) for size in scheme.problem.shape[:2])
    wanted = evaluate(whole, a.astype(object), b.astype(object)).tolist()
    assert run(found, a.tolist(), b.tolist()) == wanted
    used = {step.target for step in found.steps}
    for kind, number in zip("stp", found.buffers, strict=True):
        assert {i for k, i in used if k == kind} == set(range(number))
    assert mode == "clobber" or not any(k in "ab" for k, _ in used)


@pytest.mark.parametrize("scheme", [strassen(), divided_strassen(), strassen().over(GF2), strassen().over(GF3)])
def test_a_product_at_a_time_needs_three_buffers(scheme: Any) -> None:
    whole = program(scheme)
    apart, least, clobbering = (schedule(whole, mode) for mode in MODES)
    assert apart.workspace() > 10
    assert least.workspace() <= 3
    assert clobbering.workspace() <= least.workspace()
    assert schedule(whole, square=True).workspace() <= 2
    assert least.additions == apart.additions == whole.operations.additions
    assert least.workspace((4, 0, 1)) == 4 * least.buffers[0] + least.buffers[2]


def test_every_swapped_place_and_dropped_instruction_is_caught() -> None:
    for mode in MODES:
        found = schedule(STRASSEN, mode, tries=5)
        for number, step in enumerate(found.steps):
            others = found.steps[:number], found.steps[number + 1 :]
            with pytest.raises(VerificationError):
                replace(found, steps=(*others[0], *others[1])).prove()
            if isinstance(step, Combine):
                (x, place), *rest = step.terms
                wrong: list[Any] = [Combine(step.target, ((-x, place), *rest))]
            else:
                wrong = [Multiply(step.target, step.left, (step.right[0], (step.right[1] + 1) % 4))]
                wrong += [Multiply(step.left, step.left, step.right)]
            for each in wrong:
                with pytest.raises(VerificationError):
                    replace(found, steps=(*others[0], each, *others[1])).prove()


def test_operands_are_not_overwritten_but_in_one_mode() -> None:
    found = schedule(STRASSEN, "clobber")
    assert any(step.target[0] in "ab" for step in found.steps)
    with pytest.raises(VerificationError, match="overwrites an operand"):
        replace(found, mode="product").prove()


def test_result_that_is_never_written_is_caught() -> None:
    found = schedule(program(standard_scheme(matmul(1, 1, 2), ZT)))
    kept = tuple(step for step in found.steps if step.target != ("c", 0))
    with pytest.raises(VerificationError, match="never written"):
        replace(found, steps=kept).prove()


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="unknown mode 'best': use one of all, product, clobber"):
        schedule(STRASSEN, "best")
    with pytest.raises(InputError, match="both factors mix the operands"):
        schedule(program(winograd_scheme(commutative(2, 2, 2), ZT)))
    assert schedule(program(standard_scheme(matmul(1, 1, 1), ZT))).buffers == (0, 0, 0)
