"""Plugins: manifests, entry points, `register`, and the protocols of the kinds that flipforge uses.

A distribution adds a plugin with an entry point in the group ``flipforge.KIND`` (`KINDS` lists them) whose value leads
to a `Manifest` in a light module. Listing plugins reads manifests; an implementation is imported when it is asked for.
"""

from flipforge.plugins._bench import bench
from flipforge.plugins._certify import Certified, Certifier, Content, certifier_for
from flipforge.plugins._export import Check, Exporter, ExportReport, ExportResult, export, levels_id, write_texts
from flipforge.plugins._export_layer import export_layer
from flipforge.plugins._kernel import Kernel, KernelMaker
from flipforge.plugins._manifest import API_VERSION, KINDS, Manifest, PluginInfo
from flipforge.plugins._reduce import Reducer
from flipforge.plugins._registry import available, connect, get, register

__all__ = [
    "API_VERSION",
    "KINDS",
    "Certified",
    "Certifier",
    "Check",
    "Content",
    "ExportReport",
    "ExportResult",
    "Exporter",
    "Kernel",
    "KernelMaker",
    "Manifest",
    "PluginInfo",
    "Reducer",
    "available",
    "bench",
    "certifier_for",
    "connect",
    "export",
    "export_layer",
    "get",
    "levels_id",
    "register",
    "write_texts",
]
