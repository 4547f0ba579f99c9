"""Read pickled numpy arrays without running a pickle.

AlphaTensor's archives hold object arrays of three integer arrays, which numpy writes as pickles. What they name is
replaced by inert stand-ins, only the opcodes such a pickle needs are let through, and every other name is refused
before anything is called.
"""

import io
import pickle
import pickletools
from collections.abc import Callable
from itertools import islice
from typing import Any

from flipforge.errors import FormatError, MalformedError
from flipforge.problems._npy import Array, array_from_bytes

__all__ = ["unpickle_arrays"]

_OPCODES = frozenset(
    (
        *("PROTO", "FRAME", "STOP", "MARK", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "BINPUT", "BINGET", "MEMOIZE"),
        *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "EMPTY_LIST", "APPEND", "APPENDS"),
        *("SHORT_BINBYTES", "BINBYTES", "SHORT_BINUNICODE", "BINUNICODE"),
        *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    )
)
_MAX_OPCODES = 2000
_REFUSED = "the archive holds a pickle of something other than numpy arrays; it is refused and not run"


class _Dtype:
    """Stands for numpy.dtype: a code and a byte order."""

    def __init__(self, code: object, *_: object) -> None:
        self.code, self.order = code, "<"

    def __setstate__(self, state: Any) -> None:
        self.order = state[1]

    @property
    def name(self) -> str:
        return f"{'<' if self.order not in ('<', '>', '|') else self.order}{self.code}"


class _Array:
    """Stands for numpy.ndarray: what its pickle says of shape, type, order and content."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _ArrayType:
    """Stands for the name numpy.ndarray, which is only ever an argument here."""


def _reconstruct(*_: object) -> _Array:
    return _Array()


_NAMES: dict[tuple[str, str], Callable[..., object]] = {("numpy", "ndarray"): _ArrayType, ("numpy", "dtype"): _Dtype}
_NAMES.update({(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")})


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return _NAMES[module_name, global_name]
        except KeyError:
            raise FormatError(f"{_REFUSED} (it names {module_name[:40]}.{global_name[:40]})") from None

    def persistent_load(self, pid: Any) -> Any:
        raise FormatError(_REFUSED)


def unpickle_arrays(data: bytes) -> list[Array]:
    """Return the arrays of a pickled object array.

    Raises
    ------
    FormatError
        The pickle needs anything but numpy arrays; nothing of it has been run.
    MalformedError
        The arrays contradict themselves.
    """
    try:
        operations = list(islice(pickletools.genops(data), _MAX_OPCODES + 1))
    except Exception as error:  # pickletools raises whatever the bytes lead it to
        raise MalformedError(f"a broken pickle ({type(error).__name__})") from None
    unknown = next((operation.name for operation, _, _ in operations if operation.name not in _OPCODES), None)
    if unknown or len(operations) > _MAX_OPCODES:
        raise FormatError(f"{_REFUSED} ({unknown or 'too many operations'})")
    try:
        root = _Unpickler(io.BytesIO(data)).load()
        members = root.state[4]
        return [_to_array(member) for member in members]
    except (FormatError, MalformedError):
        raise
    except Exception as error:  # a pickle of allowed names can still misuse them in any way
        raise FormatError(f"{_REFUSED} ({type(error).__name__})") from None


def _to_array(member: Any) -> Array:
    _, shape, dtype, fortran, data = member.state
    sides = all(type(side) is int and side >= 0 for side in shape)
    if not (isinstance(data, bytes) and isinstance(dtype, _Dtype) and sides):
        raise MalformedError("a pickled array whose parts are not bytes, a type and a shape")
    try:
        return array_from_bytes(data, dtype.name, tuple(shape), fortran=bool(fortran))
    except ValueError as error:
        raise MalformedError(str(error)) from None
