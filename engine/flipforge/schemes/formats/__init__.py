"""Readers and writers of scheme files: ours and the published ones."""

from flipforge.schemes.formats._atomic import write_atomically
from flipforge.schemes.formats._certificate import (
    CERTIFICATE_FORMAT,
    certificate_document,
    dump_certificate,
    parse_certificate,
    write_certificate,
)
from flipforge.schemes.formats._draft import load_json
from flipforge.schemes.formats._judge import Judged, is_there, judge_certificate, judge_file, read_file
from flipforge.schemes.formats._native import FORMAT, dump_native, native_document, read_native_document
from flipforge.schemes.formats._plain import read_plain
from flipforge.schemes.formats._write import WRITERS, write_file

__all__ = [
    "CERTIFICATE_FORMAT",
    "FORMAT",
    "WRITERS",
    "Judged",
    "certificate_document",
    "dump_certificate",
    "dump_native",
    "is_there",
    "judge_certificate",
    "judge_file",
    "load_json",
    "native_document",
    "parse_certificate",
    "read_file",
    "read_native_document",
    "read_plain",
    "write_atomically",
    "write_certificate",
    "write_file",
]
