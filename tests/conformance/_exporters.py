"""Conformance of exporters."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from conformance._examples import strassen, wrong_strassen
from flipforge.errors import InputError, VerificationError
from flipforge.plugins import Exporter
from flipforge.schemes import Scheme

__all__ = ["ExporterConformance"]


class ExporterConformance:
    """Tests of an `Exporter`; a subclass gives `exporter`, and may extend `schemes` and `mutations`."""

    def exporter(self) -> Exporter:
        """Return the exporter under test."""
        raise NotImplementedError("a subclass returns its exporter")

    def schemes(self) -> Sequence[Scheme]:
        """Return schemes that the target can carry; the first is mutated."""
        return [strassen()]

    def mutations(self, text: str) -> Iterable[str]:
        """Return wrong versions of a generated file; the check must refuse each of them."""
        return [text[: len(text) // 2], ""]

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

    def test_every_mutation_is_caught(self, tmp_path: Path) -> None:
        scheme = self.schemes()[0]
        (file, *_) = self.export(scheme, tmp_path)
        text = file.read_text(encoding="utf-8")
        mutations = list(self.mutations(text))
        assert mutations
        for mutation in mutations:
            assert mutation != text
            file.write_text(mutation, encoding="utf-8")
            checks = self.exporter().check(scheme, tmp_path)
            assert any(not check.ok for check in checks), mutation

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
