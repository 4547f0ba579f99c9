"""The layer of PyTorch, where it is installed; and what is said where it is not."""

import importlib.util
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from flipforge.errors import InputError, VerificationError

TORCH = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not TORCH, reason="PyTorch is not installed: the extra torch brings it")

LAYERS = [
    ("S:4", 2, 2),
    ("O:3", 3, 1),
    ("Sp:4", 2, 2),
    ("A:4", 2, 1),
    ("SO:3", 2, 1),
    ("H:3", 2, 2),
    ("Aut:petersen", 1, 1),
    ("Aut:path-3", 2, 2),
    ("perm:231", 1, 2),
    ("S+:3", 2, 1),
]
"""Programs of partitions, with and without signs, of diagrams with ties, and a matrix gathered from orbits."""


def made(group: str, k: int, l: int, **more: Any) -> Any:
    import torch

    from flipforge_equivariant import EquivariantLinear

    torch.manual_seed(1)
    layer = EquivariantLinear(group, k, l, 3, 2, **more).double()
    if layer.bias is not None:
        torch.nn.init.normal_(layer.bias)
    return layer


def matrices_of(layer: Any, k: int, l: int) -> Any:
    """The matrices of the layer's parameters: of the group's basis, or of a cheaper one that spans the same."""
    from flipforge.diagrams import tied_matrix
    from flipforge_equivariant._linear import _wired

    made = layer.group
    basis = np.array([made.matrix(diagram).dense().astype(float) for diagram in made.basis(k, l)])
    diagrams, fixed = _wired(made, k, l)
    if fixed is None:
        return basis
    own = np.array([tied_matrix(d, made.n, fixed.generators).dense().astype(float) for d in diagrams])
    both = np.concatenate([own, basis]).reshape(2 * len(basis), -1)
    assert len(own) == np.linalg.matrix_rank(both) == np.linalg.matrix_rank(both[: len(own)])
    return own


@needs_torch
@pytest.mark.parametrize(("group", "k", "l"), LAYERS)
def test_layer_equals_its_dense_matrix(group: str, k: int, l: int) -> None:
    import torch

    from flipforge import diagrams

    layer = made(group, k, l)
    layer.assert_equivariant(tolerance=1e-9)
    n, matrices = layer.n, matrices_of(layer, k, l)
    x = torch.randn(5, 3, *([n] * k), dtype=torch.double)
    weight = layer.weight.detach().numpy()
    wanted = np.einsum("oiw,wrc,bic->bor", weight, matrices, x.numpy().reshape(5, 3, -1)).reshape(5, 2, *([n] * l))
    if layer.bias is not None:
        shifts = matrices_of(layer, 0, l)
        wanted = wanted + np.einsum("ow,wr->or", layer.bias.detach().numpy()[:, 0], shifts[:, :, 0]).reshape(
            2, *([n] * l)
        )
    assert np.allclose(layer(x).detach().numpy(), wanted)
    assert diagrams.group(group).name == layer.group.name


@needs_torch
@pytest.mark.parametrize(("group", "k", "l"), LAYERS)
def test_gradients_equal_finite_differences(group: str, k: int, l: int) -> None:
    import torch

    layer = made(group, k, l)
    x = torch.randn(2, 3, *([layer.n] * k), dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))
    value = layer(x).square().sum()
    value.backward()
    for name, parameter in layer.named_parameters():
        step, before = 1e-6, parameter.detach().clone()
        direction = torch.randn_like(parameter)
        ends = []
        for sign in (1, -1):
            parameter.data = before + sign * step * direction
            ends.append(float(layer(x).square().sum().detach()))
        parameter.data = before
        wanted = (ends[0] - ends[1]) / (2 * step)
        assert np.isclose(float((parameter.grad * direction).sum()), wanted, rtol=1e-5), name


@needs_torch
def test_small_orbits_are_gathered_into_a_matrix() -> None:
    from flipforge_equivariant import _linear

    kinds = {name: type(made(name, 1, 1)._map) for name in ("perm:231", "Aut:petersen", "Aut:frucht", "A:4")}
    assert kinds["perm:231"] is kinds["Aut:frucht"] is _linear._Gathered
    assert kinds["Aut:petersen"] is kinds["A:4"] is _linear._Shared


@needs_torch
@pytest.mark.parametrize("group", ["A:4", "Sp:4", "Aut:petersen"])
def test_other_devices_take_matrices(group: str) -> None:
    import torch

    layer = made(group, 1, 1)
    x = torch.randn(2, 3, layer.n, dtype=torch.double)
    assert torch.allclose(layer._map._make()(x, layer.weight, layer.n), layer._map(x, layer.weight, layer.n))


@needs_torch
def test_state_dict_carries_the_layer() -> None:
    import torch

    layer, other = made("S:5", 2, 1), made("S:5", 2, 1)
    torch.nn.init.normal_(other.weight)
    assert set(layer.state_dict()) == {"weight", "bias"}
    other.load_state_dict(layer.state_dict())
    x = torch.randn(1, 3, 5, 5, dtype=torch.double)
    assert torch.equal(layer(x), other(x))
    assert "S:5, k=2, l=1" in repr(layer)
    assert made("S:5", 2, 1, bias=False).bias is None


@needs_torch
def test_what_is_not_equivariant_is_told() -> None:
    import torch

    layer = made("S:5", 1, 1)
    layer.n = 5
    plain = layer._map
    layer._map = lambda x, weights, n: plain(x, weights, n) * torch.arange(5, dtype=x.dtype)
    with pytest.raises(VerificationError, match="under an element of S:5"):
        layer.assert_equivariant()


@needs_torch
def test_bad_arguments_are_refused() -> None:
    import torch

    from flipforge_equivariant import EquivariantLinear

    with pytest.raises(InputError, match="even dimension"):
        EquivariantLinear("Sp:5", 1, 1)
    with pytest.raises(InputError, match="unknown group"):
        EquivariantLinear("X:5", 1, 1)
    with pytest.raises(InputError, match="no map from 2 to 1"):
        EquivariantLinear("O:3", 2, 1)
    with pytest.raises(InputError, match="one or more of each"):
        EquivariantLinear("S:3", 1, 1, 0, 1)
    with pytest.raises(InputError, match="not negative"):
        EquivariantLinear("S:3", -1, 1)
    for shape in ((3, 4), (2, 5), (5,)):
        with pytest.raises(InputError, match="the layer takes"):
            EquivariantLinear("S:5", 1, 1, 3, 2)(torch.zeros(shape))


@needs_torch
def test_a_layer_learns() -> None:
    """The gradients lead somewhere: the layer of S_4 that doubles the diagonal is found by descent."""
    import torch

    layer = made("S:4", 2, 2, bias=False)
    x = torch.randn(64, 3, 4, 4, dtype=torch.double)
    target = torch.diag_embed(2 * x[:, :1].diagonal(dim1=-2, dim2=-1)).expand(-1, 2, -1, -1)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=60)

    def loss() -> Any:
        optimiser.zero_grad()
        value = (layer(x) - target).square().mean()
        value.backward()
        return value

    before = float(loss().detach())
    optimiser.step(loss)
    assert float(loss().detach()) < 1e-6 * before


def test_without_pytorch_one_line_says_what_to_install() -> None:
    script = """
import sys
sys.modules["torch"] = None
import flipforge_equivariant
try:
    flipforge_equivariant.EquivariantLinear
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "PluginError EquivariantLinear needs PyTorch: install flipforge[torch]\n"
