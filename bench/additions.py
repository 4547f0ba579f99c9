"""Additions of schemes after each method of sharing: python bench/additions.py ID|FILE... [--steps N] [--moves N]."""

import argparse
from time import process_time

import flipforge
from flipforge.programs import program
from flipforge_codegen.passes import METHODS, fewer_additions, search_sharing, share


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schemes", nargs="+", metavar="ID|FILE")
    parser.add_argument("--steps", type=int, default=200_000, help="budget of the searcher for each part")
    parser.add_argument("--moves", type=int, default=0, help="flips and changes of basis first")
    arguments = parser.parse_args(words)
    print("| scheme | ring | rank | as written | " + " | ".join(METHODS) + " | searcher | CPU s |")
    print("| --- " * (len(METHODS) + 6) + "|")
    for name in arguments.schemes:
        began = process_time()
        scheme = fewer_additions(flipforge.load(name), moves=arguments.moves)
        written = program(scheme)
        found = [share(written, method) for method in METHODS] + [search_sharing(written, steps=arguments.steps)]
        counts = " | ".join(str(each.prove().operations.additions) for each in (written, *found))
        seconds = f"{process_time() - began:.0f}"
        print(f"| {scheme.problem} {scheme.id} | {scheme.ring} | {scheme.rank} | {counts} | {seconds} |", flush=True)


if __name__ == "__main__":
    main()
