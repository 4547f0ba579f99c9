"""The targets of this plugin; importing this module loads no target."""

from flipforge.plugins import Manifest

__all__ = ["BLAS", "CUDA", "FAST", "NUMPY", "OPENCL", "SHARING", "TORCH", "TRITON", "C"]


def _exporter(name: str, target: str, summary: str, requires: tuple[str, ...] = ("numpy",)) -> Manifest:
    """Describe a target; what most of them write needs NumPy."""
    return Manifest(
        name=name,
        kind="exporters",
        summary=summary,
        target=f"flipforge_codegen.{target}",
        api_version=1,
        requires=requires,
    )


NUMPY = _exporter(
    "numpy",
    "numpy_target:NumpyExporter",
    "a Python module that needs only NumPy: block-recursive product, exact on integers and modulo p",
)

C = _exporter(
    "c",
    "c_target:CExporter",
    "C with BLAS: one streaming pass of combinations, any size and strides, exact integers, modulo p, bits",
)

SHARING = Manifest(
    name="sharing",
    kind="reducers",
    summary="fewer additions: flips and changes of basis, then common-subexpression elimination by the searcher",
    target="flipforge_codegen.sharing_reducer:SharingReducer",
    api_version=1,
)

CUDA = _exporter(
    "cuda",
    "gpu_targets:CudaExporter",
    "CUDA C++ for nvcc, NVRTC and CuPy in three tiers; run on a CPU shim with real barriers, compiled by nvcc",
)

OPENCL = _exporter(
    "opencl",
    "gpu_targets:OpenCLExporter",
    "OpenCL C in three tiers; run by PyOpenCL, on the CPU through PoCL (pip install 'flipforge[opencl]')",
)

BLAS = _exporter(
    "blas",
    "structured_target:StructuredExporter",
    "structured products (triangular, symmetric, skew, X times its transpose) as syrk, trmm and symm on NumPy",
)

FAST = Manifest(
    name="fast",
    kind="kernels",
    summary="callables for matrices of any size: C with BLAS or NumPy, levels by a cost model from measured rates",
    target="flipforge_codegen.fast_kernels:FastKernels",
    api_version=1,
)

TORCH = _exporter(
    "torch",
    "torch_target:TorchExporter",
    "a PyTorch module: batched, with gradients, works with torch.compile; checked where PyTorch is installed",
    requires=(),
)

TRITON = _exporter(
    "triton",
    "triton_target:TritonExporter",
    "Triton kernels for torch tensors in three tiers; run by its interpreter, compiled ahead of time",
)
