"""Printing: one JSON value, a table, or CSV, on stdout."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["print_csv", "print_json", "print_json_lines", "print_table"]


def print_json(value: Any) -> None:
    """Print one JSON value."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_json_lines(values: Iterable[Any]) -> None:
    """Print one JSON value a line."""
    for value in values:
        print(json.dumps(value, ensure_ascii=False, default=str))


def print_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as CSV with a header."""
    writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({column: row.get(column) for column in columns} for row in rows)


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], empty: str) -> None:
    """Print rows as aligned columns, numbers to the right; the line ``empty`` where there are none."""
    if not rows:
        print(empty)
        return
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[i]) for line in cells)) for i, column in enumerate(columns)]
    right = [any(isinstance(row.get(column), int | float) for row in rows) for column in columns]
    for line in ([*columns], *cells):
        padded = (
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        )
        print("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
