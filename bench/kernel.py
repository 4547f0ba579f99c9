"""load_kernel beside NumPy's product, interleaved, CPU seconds: python bench/kernel.py [--problem P] [--sizes N,..]."""

import argparse
from time import process_time

import numpy as np

import flipforge


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="Set OPENBLAS_NUM_THREADS=1 for one thread.")
    parser.add_argument("--problem", default="matmul:2x2x2")
    parser.add_argument("--sizes", default="256,1024,2048,4096")
    parser.add_argument("--dtypes", default="float32,float64")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--db", default=None)
    arguments = parser.parse_args(words)
    for dtype in arguments.dtypes.split(","):
        fast = flipforge.load_kernel(arguments.problem, dtype=dtype, db=arguments.db)
        for size in map(int, arguments.sizes.split(",")):
            a, b = np.random.default_rng(0).standard_normal((2, size, size)).astype(dtype)
            mine, plain = np.empty_like(a), np.empty_like(a)
            fast(a, b, out=mine)
            spent = [0.0, 0.0]
            for _ in range(arguments.repeat):
                began = process_time()
                fast(a, b, out=mine)
                between = process_time()
                np.matmul(a, b, out=plain)
                spent = [spent[0] + between - began, spent[1] + process_time() - between]
            error = float(abs(mine - plain).max() / abs(plain).max())
            levels = fast.plan(size, size, size)["levels"]
            print(
                f"{dtype} n={size} levels={levels} ratio={spent[1] / spent[0]:.2f} difference={error:.1e}", flush=True
            )


if __name__ == "__main__":
    main()
