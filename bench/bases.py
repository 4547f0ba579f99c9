"""How long exact bases of equivariant maps take, with peers in the same run.

    python bench/bases.py
    python bench/bases.py --emlp /path/to/python --limit 60 S:5:2:2 O:3:2:2

Times are CPU seconds of library calls, the least of several: `basis` makes the group and its basis, `certify` makes the
certificate and has it checked. --emlp names an interpreter that has EMLP installed, in an environment of its own by
`pip install emlp six`; its basis, numerical to 1e-5, is computed there for the same group, k and l, in a process that
is stopped after --limit CPU seconds; where it does not run, that is told. Its time is that of one call without imports.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from flipforge import plugins
from flipforge.certificates import check

LARGE = ("S:50:4:4", "Sp:50:5:5", "SO:6:5:5", "A:6:3:3", "B:5:4:4", "H:8:5:5", "Aut:petersen:2:3")
SHARED = ("S:5:2:2", "S:8:2:2", "O:4:2:2", "O:5:2:2", "SO:4:2:2", "Sp:4:2:2", "Sp:6:2:2")

PEER_GROUPS = ("S", "O", "SO", "Sp")
PEER = """
import json, sys, time
from emlp.groups import O, S, SO, Sp
from emlp.reps import V
name, n, k, l = sys.argv[1], *map(int, sys.argv[2:])
group = {"S": S, "O": O, "SO": SO, "Sp": Sp}[name](n // 2 if name == "Sp" else n)
began = time.process_time()
basis = (V**k >> V**l)(group).equivariant_basis()
print(json.dumps({"seconds": time.process_time() - began, "dimension": int(basis.shape[-1])}))
"""


def least(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Return the least CPU seconds of some calls, and what the last one returned."""
    best, value = float("inf"), None
    for _ in range(repeats):
        began = time.process_time()
        value = call()
        best = min(best, time.process_time() - began)
    return best, value


def peer(python: str, name: str, n: int, k: int, l: int, limit: int) -> tuple[float | None, int | None]:
    """Return EMLP's CPU seconds and dimension, None where it ran into the limit; exit where it does not run."""

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))

    words = [python, "-c", PEER, name, str(n), str(k), str(l)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, preexec_fn=bounded)
    if done.returncode > 0:
        sys.exit(f"EMLP does not run by {python}: {(done.stderr.splitlines() or ['no reason told'])[-1]}")
    if done.returncode:  # a signal: the limit
        return None, None
    row = json.loads(done.stdout.splitlines()[-1])
    return row["seconds"], row["dimension"]


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spaces", nargs="*", metavar="GROUP:K:L", default=[*LARGE, *SHARED])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--emlp", metavar="PYTHON", help="an interpreter that has EMLP")
    parser.add_argument("--limit", type=int, default=60, help="CPU seconds that EMLP may take for one basis")
    options = parser.parse_args(words)
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    for text in options.spaces:
        if text.count(":") < 3 or not all(word.isdigit() for word in text.rsplit(":", 2)[1:]):
            parser.error(f"{text} is not of the form of S:5:2:2")
    return options


def main() -> None:
    options = arguments()
    print("space               dimension   basis CPU s   certify CPU s   EMLP CPU s   ratio")
    for text in options.spaces:
        name, k, l = text.rsplit(":", 2)
        letters, _, body = name.partition(":")
        make, shape = plugins.get("groups", letters), (int(k), int(l))
        seconds, basis = least(lambda: make(body).basis(*shape), options.repeats)  # noqa: B023 - called at once
        proof, verdict = least(lambda: check(make(body).certificate(*shape)), options.repeats)  # noqa: B023
        row = f"{text:18} {len(basis):10} {seconds:13.6f} {proof:15.6f}"
        if options.emlp and letters in PEER_GROUPS and len(basis) < 100:
            theirs, dimension = peer(options.emlp, letters, int(body), *shape, options.limit)
            row += f" {f'over {options.limit}' if theirs is None else f'{theirs:.2f}':>12}"
            row += f" {(options.limit if theirs is None else theirs) / seconds:7.0f}"
            if dimension not in (None, len(basis)):
                sys.exit(f"{text}: EMLP finds dimension {dimension}")
        print(row if verdict.valid else f"{row}   {verdict.decision}: {verdict.reason}", flush=True)


if __name__ == "__main__":
    main()
