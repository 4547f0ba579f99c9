"""The live line: on a terminal's standard error, and nowhere else."""

import subprocess
from pathlib import Path

from commands import command, on_a_terminal
from flipforge.cli._live import progress_text
from flipforge.search import Progress

WORDS = ("search", "matmul:3x3x3", "--target-rank", "23", "--workers", "1", "--seed", "1", "--json")


def test_a_terminal_sees_rank_rate_pools_and_time_left_and_stdout_stays_json(tmp_path: Path) -> None:
    code, out, shown = on_a_terminal(command(tmp_path / "catalogue.db", *WORDS))
    assert code == 0 and out.startswith(b"{")
    for word in (b"rank ", b"Mflips/s", b"pools ", b"left"):
        assert word in shown
    assert shown.endswith(b"\r\x1b[K"), "the line is wiped at the end"


def test_no_terminal_no_line(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path / "catalogue.db", *WORDS), capture_output=True, check=True)
    assert done.stderr == b""


def test_the_line_says_what_is_asked_of_it() -> None:
    pools = {23: 1, 24: 50, 25: 50, 26: 50, 27: 1}
    text = progress_text(Progress(23, 24, 10**9, 21.3e6, 3725.0, 59.5, pools))
    assert text == "rank 23 | at 24 | 21.3 Mflips/s | pools 23:1 24:50 25:50 26:50 | 1:02:05 gone, 0:59 left"
    assert "left" not in progress_text(Progress(23, 24, 1, 1.0, 1.0, None, {}))
