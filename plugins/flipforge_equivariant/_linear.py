"""An equivariant layer of PyTorch; importing this module needs the extra ``torch``."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from flipforge.diagrams import PartitionDiagram, TiedGroup, Wiring, group, tied, tied_matrix, ties_of
from flipforge.errors import InputError, VerificationError
from flipforge.plugins import connect
from flipforge.programs import Fixed, LayerProgram, apply_layer, assemble, cores, layer_gradients

__all__ = ["EquivariantLinear"]

_DENSE_ENTRIES = 20_000_000


class EquivariantLinear(nn.Module):
    """The linear maps from k to l tensor powers of R^n that commute with a group, between channels.

    The parameters are the coefficients of a basis of diagrams. A shared program applies them on the processor, and its
    transpose gives the gradients. Where that touches as many elements as a dense matrix has, as for the orbits of a
    small group of permutations, the matrix is gathered from the weights; other devices take the matrices of the basis.

    Parameters
    ----------
    group
        Name of the group, e.g. ``"S:5"``.
    k, l
        Tensor powers of input and output.
    in_channels, out_channels
        Input has shape (..., in_channels, n, ..., n), output (..., out_channels, n, ..., n).
    bias
        Add an invariant tensor to each channel of the output.

    Raises
    ------
    InputError
        There is no such group, no such map, or the dense matrices are needed and too large.

    Examples
    --------
    >>> layer = EquivariantLinear("S:5", 2, 1, 3, 4)
    >>> layer(torch.zeros(7, 3, 5, 5)).shape
    torch.Size([7, 4, 5])
    >>> layer.assert_equivariant()
    """

    def __init__(
        self, group: str, k: int, l: int, in_channels: int = 1, out_channels: int = 1, *, bias: bool = True
    ) -> None:
        super().__init__()
        if in_channels < 1 or out_channels < 1:
            raise InputError(f"{in_channels} channels to {out_channels}: give one or more of each")
        self.group, self.k, self.l = _group(group), k, l
        self.n = self.group.n
        self.in_channels, self.out_channels = in_channels, out_channels
        self._map, spread = _basis(self.group, k, l)
        size = len(spread)
        if not size:
            raise InputError(f"{group}: no map from {k} to {l} tensor powers but zero commutes with it")
        deviation = torch.tensor([(in_channels * size * s) ** -0.5 for s in spread])
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, size) * deviation)
        self._shift, invariants = _basis(self.group, 0, l)
        self.bias = nn.Parameter(torch.zeros(out_channels, 1, len(invariants))) if bias and invariants else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        wanted = (self.in_channels, *([self.n] * self.k))
        if x.dim() < len(wanted) or tuple(x.shape[x.dim() - len(wanted) :]) != wanted:
            raise InputError(f"x has shape {tuple(x.shape)}; the layer takes (..., {', '.join(map(str, wanted))})")
        y = self._map(x, self.weight, self.n)
        if self.bias is not None:
            y = y + self._shift(x.new_ones(1), self.bias, self.n)
        return y

    def extra_repr(self) -> str:
        """Name the layer's arguments."""
        channels = f"in_channels={self.in_channels}, out_channels={self.out_channels}"
        return f"{self.group.name}, k={self.k}, l={self.l}, {channels}, bias={self.bias is not None}"

    def assert_equivariant(self, *, elements: int = 3, seed: int = 0, tolerance: float = 1e-4) -> None:
        """Compare both orders of the layer and of random group elements.

        Raises
        ------
        VerificationError
            They differ by more than the tolerance, relative to the largest entry.
        """
        rng = np.random.default_rng(seed)
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(2, self.in_channels, *([self.n] * self.k), generator=generator).to(self.weight)
        with torch.no_grad():
            y = self(x)
            for _ in range(elements):
                g = torch.tensor(self.group.element(rng).astype(float)).to(self.weight)
                turned, wanted = self(_act(g, x, self.k)), _act(g, y, self.l)
                error = float((turned - wanted).abs().max() / (1 + wanted.abs().max()))
                if error > tolerance:
                    raise VerificationError(f"{self}: changes by {error:.1e} under an element of {self.group.name}")


Apply = Callable[[Tensor, Tensor, int], Tensor]


def _group(name: str) -> Any:
    connect()
    return group(name)


def _act(g: Tensor, x: Tensor, axes: int) -> Tensor:
    """Apply a matrix to each of the last axes."""
    for axis in range(axes):
        x = torch.movedim(torch.tensordot(g, x, dims=([1], [x.dim() - 1 - axis])), 0, x.dim() - 1 - axis)
    return x


def _basis(made: Any, k: int, l: int) -> tuple[Apply, list[float]]:
    """Return what applies a basis with weights, and for each of its matrices the squares of a row, summed up."""
    n, symplectic = made.n, made.name.startswith("Sp:")
    diagrams, fixed = _wired(made, k, l)
    program = assemble(diagrams, cores(k), cores(l), k=k, l=l, symplectic=symplectic, fixed=fixed)
    sizes = [_entries(diagram, n, fixed) / n**l for diagram in diagrams]
    spread = [max(size, 1e-3) for size in sizes]
    if isinstance(made, TiedGroup) and fixed is not None and program.cost(n) >= n ** (k + l):
        places = _places(diagrams, k, l, fixed)
        if places is not None:
            return _Gathered(places, k, l), spread
    return _Shared(program, lambda: _dense(diagrams, made, k, l, fixed)), spread


def _wired(made: Any, k: int, l: int) -> tuple[tuple[Wiring, ...], Fixed | None]:
    """Return a basis as partitions with ties, and what the ties are about."""
    if isinstance(made, TiedGroup):
        family = made.tied_family(k, l)
        return tuple(family.diagrams[place] for place in family.basis), Fixed(made.n, made.generators, made.edges)
    diagrams = tuple(map(tied, made.basis(k, l)))
    return diagrams, Fixed(made.n) if any(map(ties_of, diagrams)) else None


def _entries(diagram: Wiring, n: int, fixed: Fixed | None) -> float:
    """Return the number of entries that are not 0; all are 1 or -1."""
    ties = ties_of(diagram)
    free = diagram.size - sum(len(tie.blocks) for tie in ties)
    return float(n**free * prod(len(fixed.rows(tie)) for tie in ties if fixed is not None))


def _places(diagrams: Sequence[Wiring], k: int, l: int, fixed: Fixed) -> npt.NDArray[np.int64] | None:
    """Return for each entry of an n^l x n^k matrix the one diagram that is not 0 there; None where some meet."""
    n = fixed.n
    if n ** (k + l) > _DENSE_ENTRIES or sum(_entries(d, n, fixed) for d in diagrams) != n ** (k + l):
        return None
    found = np.full((n**l, n**k), -1, np.int64)
    for number, diagram in enumerate(diagrams):
        entries = tied_matrix(diagram, n, fixed.generators)
        found[entries.rows, entries.cols] = number
    return None if (found < 0).any() else found


class _Shared:
    """A layer by its program, with the dense matrices for other devices than the processor."""

    def __init__(self, program: LayerProgram, dense: Callable[[], "_Dense"]) -> None:
        self.program, self._make = program, dense
        self._made: _Dense | None = None

    def __call__(self, x: Tensor, weights: Tensor, n: int) -> Tensor:
        if x.device.type == "cpu":
            applied: Tensor = _Applied.apply(x, weights, self.program, n)
            return applied
        if self._made is None:
            self._made = self._make()
        return self._made(x, weights, n)


class _Applied(torch.autograd.Function):
    """A layer program with its gradients: those in x by the transposed program."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor, program: LayerProgram, n: int) -> Tensor:
        ctx.save_for_backward(x, weights)
        ctx.program, ctx.n = program, n
        return torch.from_numpy(apply_layer(program, x.detach().numpy(), weights.detach().numpy(), n=n))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weights = (saved.detach().numpy() for saved in ctx.saved_tensors)
        gx, gw = layer_gradients(ctx.program, x, weights, gradients[0].numpy(), n=ctx.n)
        return torch.from_numpy(gx), torch.from_numpy(gw), None, None


class _Gathered:
    """A layer by its dense matrix, each entry of which is the weight of its orbit."""

    def __init__(self, places: npt.NDArray[np.int64], k: int, l: int) -> None:
        self.k, self.l, self.shape = k, l, places.shape
        self.orbits = torch.from_numpy(places.ravel())

    def __call__(self, x: Tensor, weights: Tensor, n: int) -> Tensor:
        matrix = weights[:, :, self.orbits.to(weights.device)].reshape(*weights.shape[:2], *self.shape)
        return _product(matrix, x, n, self.k, self.l)


class _Dense:
    """A layer by the matrices of its basis."""

    def __init__(self, matrices: Tensor, k: int, l: int) -> None:
        self.matrices, self.k, self.l = matrices, k, l

    def __call__(self, x: Tensor, weights: Tensor, n: int) -> Tensor:
        return _product(torch.einsum("oiw,wrc->oirc", weights, self.matrices.to(weights)), x, n, self.k, self.l)


def _product(matrix: Tensor, x: Tensor, n: int, k: int, l: int) -> Tensor:
    """Apply matrices (outputs, inputs, n^l, n^k) to tensors (..., inputs, n, ..., n)."""
    outputs, inputs = matrix.shape[:2]
    lead = x.shape[: x.dim() - k - 1]
    y = torch.einsum("oirc,bic->bor", matrix, x.reshape(-1, inputs, n**k))
    return y.reshape(*lead, outputs, *([n] * l))


def _dense(diagrams: Sequence[Wiring], made: Any, k: int, l: int, fixed: Fixed | None) -> _Dense:
    entries = len(diagrams) * made.n ** (k + l)
    if entries > _DENSE_ENTRIES:
        raise InputError(f"{made.name}: the matrices of the basis have {entries} entries, more than {_DENSE_ENTRIES}")
    generators = () if fixed is None else fixed.generators
    parts = [
        made.matrix(d) if fixed is None and isinstance(d, PartitionDiagram) else tied_matrix(d, made.n, generators)
        for d in diagrams
    ]
    matrices = np.array([part.dense().astype(float) for part in parts])
    return _Dense(torch.tensor(matrices.reshape(-1, made.n**l, made.n**k)), k, l)
