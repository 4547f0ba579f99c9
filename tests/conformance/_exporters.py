"""Conformance of exporters."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from conformance._examples import strassen, wrong_strassen
from flipforge.errors import InputError, VerificationError
from flipforge.plugins import Exporter
from flipforge.schemes import Scheme

__all__ = ["ExporterConformance", "swapped"]


def swapped(text: str, after: str, old: str, new: str) -> str:
    """Change the first place of ``old`` behind ``after``."""
    begin = text.index(old, text.index(after))
    return text[:begin] + new + text[begin + len(old) :]


class ExporterConformance:
    """Tests of an `Exporter`; a subclass gives `exporter`, and extends `schemes` and `mutations`."""

    quick: ClassVar[int] = 4
    """So many of the mutations are run by default, the others with the slow tests."""

    def exporter(self) -> Exporter:
        """Return the exporter under test."""
        raise NotImplementedError("a subclass returns its exporter")

    def schemes(self) -> Sequence[Scheme]:
        """Return schemes that the target can carry; the first is mutated."""
        return [strassen()]

    def mutations(self, text: str) -> Iterable[str]:
        """Return versions of a generated file that still run and mean something else.

        A flipped sign, over GF(2) a flipped coefficient, a needed barrier dropped, an index swapped: each is told by a
        comparison, not by a compiler.
        """
        return []

    def export(self, scheme: Scheme, folder: Path) -> tuple[Path, ...]:
        return self.exporter().export(scheme, folder, options={}).files

    def test_files_are_in_the_folder_and_not_empty(self, tmp_path: Path) -> None:
        for number, scheme in enumerate(self.schemes()):
            folder = tmp_path / "deeper" / str(number)
            files = self.export(scheme, folder)
            assert files
            assert sorted(files) == sorted(folder.iterdir())
            assert all(path.read_bytes() for path in files)

    def test_same_scheme_gives_the_same_bytes(self, tmp_path: Path) -> None:
        for number, scheme in enumerate(self.schemes()):
            first, second = (self.export(scheme, tmp_path / f"{number}{side}") for side in "ab")
            assert [path.name for path in first] == [path.name for path in second]
            assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]

    def test_own_checks_hold(self, tmp_path: Path) -> None:
        for scheme in self.schemes():
            self.export(scheme, tmp_path)
            checks = self.exporter().check(scheme, tmp_path)
            assert checks
            assert all(check.name and check.detail for check in checks)
            assert len({check.name for check in checks}) == len(checks)
            assert [check for check in checks if not check.ok] == []

    def test_mutations_are_caught(self, tmp_path: Path) -> None:
        self._catch(tmp_path, slice(self.quick))

    @pytest.mark.slow
    def test_all_other_mutations_are_caught(self, tmp_path: Path) -> None:
        self._catch(tmp_path, slice(self.quick, None))

    def _catch(self, tmp_path: Path, part: slice) -> None:
        scheme = self.schemes()[0]
        (file, *_) = self.export(scheme, tmp_path)
        text = file.read_text(encoding="utf-8")
        mutations = list(self.mutations(text))
        assert len(set(mutations)) == len(mutations)
        for mutation in mutations[part]:
            assert mutation != text
            file.write_text(mutation, encoding="utf-8")
            failed = [check for check in self.exporter().check(scheme, tmp_path) if not check.ok]
            assert failed, mutation
            assert not {"build", "import", "run"} & {check.name for check in failed}, failed
            assert not any("BuildError" in check.detail for check in failed), failed

    def test_a_text_that_is_cut_short_or_empty_is_refused(self, tmp_path: Path) -> None:
        scheme = self.schemes()[0]
        (file, *_) = self.export(scheme, tmp_path)
        text = file.read_text(encoding="utf-8")
        for broken in (text[: len(text) // 2], ""):
            file.write_text(broken, encoding="utf-8")
            assert any(not check.ok for check in self.exporter().check(scheme, tmp_path))

    def test_unproven_scheme_is_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "out"
        with pytest.raises(VerificationError):
            self.export(wrong_strassen(), folder)
        assert not folder.exists()

    def test_unknown_option_is_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "out"
        with pytest.raises(InputError, match="no_such_option"):
            self.exporter().export(self.schemes()[0], folder, options={"no_such_option": 1})
        assert not folder.exists()

    def test_existing_files_stay_and_own_ones_are_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "kept").write_text("kept")
        scheme = self.schemes()[0]
        files = self.export(scheme, tmp_path)
        texts = [path.read_bytes() for path in files]
        for path in files:
            path.write_text("stale")
        assert self.export(scheme, tmp_path) == files
        assert [path.read_bytes() for path in files] == texts
        assert sorted(tmp_path.iterdir()) == sorted([*files, tmp_path / "kept"])
        assert (tmp_path / "kept").read_text() == "kept"

    def test_folder_that_cannot_be_written_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("not a folder")
        with pytest.raises(InputError) as caught:
            self.export(self.schemes()[0], tmp_path / "file" / "out")
        assert "\n" not in str(caught.value)
        assert (tmp_path / "file").read_text() == "not a folder"

    def test_check_without_files_is_no_verdict(self, tmp_path: Path) -> None:
        with pytest.raises(InputError):
            self.exporter().check(self.schemes()[0], tmp_path)
