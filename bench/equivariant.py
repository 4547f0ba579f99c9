"""Equivariant layers: a shared program against one diagram at a time and against the dense matrix.

    python bench/equivariant.py            # times, in CPU milliseconds of one thread, and their ratios
    python bench/equivariant.py --counts   # operation counts that walks reach, and least ones by exhaustion

All times of a line are taken in one run, the least of several.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

# Before NumPy is imported: one thread for the dense products too.
os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import numpy as np

from flipforge import plugins
from flipforge.diagrams import PartitionDiagram, group
from flipforge.errors import InputError
from flipforge.problems import layer
from flipforge.programs import LayerProgram, apply_layer, assemble, cores, dense_is_faster, polynomial_text, single
from flipforge.search import Effort, LayerSpace, Seed, least_cost

CASES = [("S", 50, 2, 2), ("S", 20, 3, 3), ("O", 20, 3, 3)]
COUNTED = ["S:20:2:2", "S:20:3:3", "S:20:4:4", "O:20:3:3", "O:20:4:4", "O:20:5:5", "Sp:20:3:3"]
SMALL = ["S:2:1:2", "S:2:2:2", "S:3:2:2", "S:20:2:2", "O:2:3:3", "O:20:3:3", "Sp:2:3:3", "Sp:4:2:2", "Sp:4:3:3"]
TIED = ["A:3:2:2", "A:4:2:2", "SO:2:2:2", "SO:4:2:2", "SO:3:2:3", "Aut:petersen:1:1"]
PAGE = {
    "S:20:2:2": "7n^2 + 14n + 4",
    "S:20:3:3": "13n^3 + 93n^2 + 111n + 25",
    "S:20:4:4": "33n^4 + 654n^3 + 2001n^2 + 1400n + 225",
    "O:20:3:3": "7n^3 + 9n^2 + 9n",
    "O:20:4:4": "25n^4 + 18n^3 + 81n^2 + 9",
    "O:20:5:5": "121n^5 + 30n^4 + 645n^3 + 225n",
}
"""Shared programs of the reference computation: cores from parents, one scatter for each pattern of the output."""


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        call()
        times.append(time.process_time() - begun)
    return min(times) * 1e3


def program_of(name: str, n: int, k: int, l: int) -> tuple[list[PartitionDiagram], LayerProgram]:
    diagrams: list[Any] = list(group(f"{name}:{n}").basis(k, l))
    return diagrams, assemble(diagrams, cores(k), cores(l), k=k, l=l, symplectic=name == "Sp")


def compare(name: str, n: int, k: int, l: int, batch: int, repeats: int) -> None:
    rng = np.random.default_rng(0)
    diagrams, program = program_of(name, n, k, l)
    x, weights = rng.normal(size=(batch, *([n] * k))), rng.normal(size=len(diagrams))
    parts = [single(diagram) for diagram in diagrams]
    inner = max(1, 2_000_000 // (batch * program.cost(n)))

    def shared() -> None:
        for _ in range(inner):
            apply_layer(program, x, weights)

    def one_by_one() -> Any:
        return sum(apply_layer(part, x, weights[i : i + 1]) for i, part in enumerate(parts))

    if not np.allclose(apply_layer(program, x, weights), one_by_one()):
        raise SystemExit("the shared program and the single diagrams differ")
    ours = milliseconds(shared, repeats) / inner
    single_ms = milliseconds(one_by_one, 2)
    matrix, flat = rng.normal(size=(n**l, n**k)), x.reshape(batch, -1)
    dense = milliseconds(lambda: flat @ matrix.T, 3)
    print(
        f"{f'{name}_{n} {k}->{l}':12} batch {batch:2}  shared {ours:8.3f} ms   one by one {single_ms:8.2f} ms "
        f"({single_ms / ours:5.1f}x)   dense {dense:8.2f} ms ({dense / ours:6.1f}x)",
        flush=True,
    )


def crossover(batch: int, repeats: int) -> None:
    """Print the first n from which the shared program of S_n 2->2 is faster than the dense product."""
    rng = np.random.default_rng(0)
    for n in count(3):
        _, program = program_of("S", n, 2, 2)
        x, weights = rng.normal(size=(batch, n, n)), rng.normal(size=program.weights)
        flat, matrix = x.reshape(batch, -1), rng.normal(size=(n * n, n * n))

        def shared(program: LayerProgram = program, x: Any = x, weights: Any = weights) -> None:
            for _ in range(100):
                apply_layer(program, x, weights)

        def product(flat: Any = flat, matrix: Any = matrix) -> None:
            for _ in range(100):
                flat @ matrix.T

        ours, dense = milliseconds(shared, repeats), milliseconds(product, repeats)
        if ours < dense:
            chosen = next(size for size in count(2) if not dense_is_faster(program, size, batch))
            print(f"S_n 2->2     batch {batch:2}  shared is faster from n = {n} on; the cost model says {chosen}")
            return


_MEMORY = """
import time
import numpy as np
from flipforge import plugins
plugins.connect()
from flipforge.diagrams import group
from flipforge.programs import apply_layer, assemble, cores
diagrams = list(group("S:60").basis(3, 3))
program = assemble(diagrams, cores(3), cores(3), k=3, l=3)
weights = np.ones(len(diagrams))
apply_layer(program, np.ones((1, 4, 4, 4)), weights)

def kilobytes(name):
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith(name))

# The peak so far is that of the compiler.
with open("/proc/self/clear_refs", "w") as stream:
    stream.write("5")
before = kilobytes("VmRSS")
x = np.random.default_rng(0).normal(size=(1, 60, 60, 60))
times = []
for _ in range(5):
    begun = time.process_time()
    apply_layer(program, x, weights)
    times.append(time.process_time() - begun)
after = kilobytes("VmHWM")
print(f"S_60 3->3    batch  1  shared {min(times) * 1e3:8.3f} ms, {(after - before) / 1024:.1f} MB more than before; "
      f"dense would take {60**6 * 8 / 1e9:.0f} GB")
"""


def counts(steps: int) -> None:
    for name in COUNTED:
        head, k, l = name.rsplit(":", 2)
        where = LayerSpace(layer(head, int(k), int(l)))
        state = where.start(Seed(0))
        end = where.walk(state, Effort(steps, steps, 0, steps // 40, 2), Seed(1))
        made = where.scheme(end.state)
        print(
            f"{name:10} {made.program.weights:5} diagrams  {polynomial_text(made.program.operations)}"
            f"   {made.verdict().decision}   page: {PAGE.get(name, '-')}",
            flush=True,
        )
    for name in [*SMALL, *TIED]:
        head, k, l = name.rsplit(":", 2)
        where = LayerSpace(layer(head, int(k), int(l)))
        state = where.start(Seed(0))
        found = where.scheme(where.walk(state, Effort(steps, steps, 0, steps // 40, 2), Seed(1)).state)
        try:
            least: int | str = least_cost(where)
        except InputError:
            least = "not gone through"
        first = where.program(state).diagrams
        k_, l_ = where.problem.dims
        whole = assemble(first, cores(k_), cores(l_), k=k_, l=l_, symplectic=where.symplectic, fixed=where.fixed)
        own = whole.cost(where.n)
        text = polynomial_text(found.program.operations)
        told = f"{name:16} basis of the group {own:6}  found {found.rank:6} = {text}  least of all {least}"
        print(f"{told}  matrix {where.n ** (k_ + l_)}", flush=True)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--counts", action="store_true", help="operation counts instead of times")
    parser.add_argument("--steps", type=int, default=4_000_000, help="of each walk")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 64])
    options = parser.parse_args(words)
    plugins.connect()
    if options.counts:
        counts(options.steps)
        return
    for name, n, k, l in CASES:
        for batch in options.batches:
            compare(name, n, k, l, batch, options.repeats)
    for batch in options.batches:
        crossover(batch, options.repeats)
    subprocess.run([sys.executable, "-c", _MEMORY], check=True)


if __name__ == "__main__":
    main()
