"""The targets of this plugin; importing this module loads no target."""

from flipforge.plugins import Manifest

__all__ = ["BLAS", "CUDA", "FAST", "NUMPY", "OPENCL", "SHARING", "TORCH", "TRITON", "C"]

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

SHARING = Manifest(
    name="sharing",
    kind="reducers",
    summary="fewer additions: flips and changes of basis, then common-subexpression elimination by the searcher",
    target="flipforge_codegen.sharing_reducer:SharingReducer",
    api_version=1,
)

CUDA = Manifest(
    name="cuda",
    kind="exporters",
    summary="CUDA C++ for nvcc, NVRTC and CuPy in three tiers; run on a CPU shim with real barriers, compiled by nvcc",
    target="flipforge_codegen.gpu_targets:CudaExporter",
    api_version=1,
    requires=("numpy",),
)

OPENCL = Manifest(
    name="opencl",
    kind="exporters",
    summary="OpenCL C in three tiers; run by PyOpenCL, on the CPU through PoCL (pip install 'flipforge[opencl]')",
    target="flipforge_codegen.gpu_targets:OpenCLExporter",
    api_version=1,
    requires=("numpy",),
)

BLAS = Manifest(
    name="blas",
    kind="exporters",
    summary="structured products (triangular, symmetric, skew, X times its transpose) as syrk, trmm and symm on NumPy",
    target="flipforge_codegen.structured_target:StructuredExporter",
    api_version=1,
    requires=("numpy",),
)

FAST = Manifest(
    name="fast",
    kind="kernels",
    summary="callables for matrices of any size: C with BLAS or NumPy, levels by a cost model from measured rates",
    target="flipforge_codegen.fast_kernels:FastKernels",
    api_version=1,
)

TORCH = Manifest(
    name="torch",
    kind="exporters",
    summary="a PyTorch module: batched, with gradients, works with torch.compile; checked where PyTorch is installed",
    target="flipforge_codegen.torch_target:TorchExporter",
    api_version=1,
)

TRITON = Manifest(
    name="triton",
    kind="exporters",
    summary="Triton kernels for torch tensors in three tiers; run by its interpreter, compiled ahead of time",
    target="flipforge_codegen.triton_target:TritonExporter",
    api_version=1,
    requires=("numpy",),
)
