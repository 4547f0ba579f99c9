"""Readers and writers of scheme files."""
