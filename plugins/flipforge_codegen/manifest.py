"""The targets of this plugin; importing this module loads no target."""

from flipforge.plugins import Manifest

__all__ = ["NUMPY", "C"]

NUMPY = Manifest(
    name="numpy",
    kind="exporters",
    summary="a Python module that needs only NumPy: block-recursive product, exact on integers and modulo p",
    target="flipforge_codegen.numpy_target:NumpyExporter",
    api_version=1,
    requires=("numpy",),
)

C = Manifest(
    name="c",
    kind="exporters",
    summary="C with BLAS: one streaming pass of combinations, any size and strides, exact integers, modulo p, bits",
    target="flipforge_codegen.c_target:CExporter",
    api_version=1,
    requires=("numpy",),
)
