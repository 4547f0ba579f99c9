"""What every plugin of a kind must do, as classes of tests.

A plugin's own test module subclasses the class of its kind, names the subclass ``Test...`` and gives its factory::

    from conformance import ExporterConformance

    class TestMyTarget(ExporterConformance):
        def exporter(self):
            return MyExporter()

The folder that holds this package (``tests`` of flipforge's repository or source distribution) must be on pytest's
``pythonpath``.
"""

import pytest

pytest.register_assert_rewrite(
    "conformance._certifiers",
    "conformance._executors",
    "conformance._exporters",
    "conformance._groups",
    "conformance._spaces",
    "conformance._stores",
)

from conformance._certifiers import CertifierConformance  # noqa: E402
from conformance._examples import divided_strassen, strassen, wrong_strassen  # noqa: E402
from conformance._executors import ExecutorConformance  # noqa: E402
from conformance._exporters import ExporterConformance, swapped  # noqa: E402
from conformance._groups import GroupConformance  # noqa: E402
from conformance._spaces import SpaceConformance  # noqa: E402
from conformance._stores import StoreConformance  # noqa: E402

__all__ = [
    "CertifierConformance",
    "ExecutorConformance",
    "ExporterConformance",
    "GroupConformance",
    "SpaceConformance",
    "StoreConformance",
    "divided_strassen",
    "strassen",
    "swapped",
    "wrong_strassen",
]
