"""Archives of arrays as AlphaTensor published them: what is read, and that no other pickle is run."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flipforge.errors import FormatError, MalformedError
from flipforge.problems import matmul
from flipforge.rings import Z
from flipforge.schemes import standard_scheme
from flipforge.schemes.formats import judge_file, read_file

# 1x1x2: c11 = a11 b11 and c12 = a11 b12. 2x1x1: c11 = a11 b11, c21 = a21 b11. Transposition of C shows in both.
WIDE = standard_scheme(matmul(1, 1, 2), Z)
TALL = standard_scheme(matmul(2, 1, 1), Z)


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def archive(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for name, content in members.items():
            target.writestr(f"{name}.npy", content)
    return stream.getvalue()


def objects(*arrays: Any) -> Any:
    result = np.empty(len(arrays), dtype=object)
    for i, array in enumerate(arrays):
        result[i] = array
    return result


def test_alphatensor_archives(tmp_path: Path) -> None:
    u, v = np.array([[1, 1]]), np.array([[1, 0], [0, 1]])
    path = tmp_path / "factors.npz"
    members = {
        "1,1,2": npy(objects(u, v, v.astype(np.int32)), allow_pickle=True),
        "2,1,1": npy(objects(v.astype(float), u, np.asfortranarray(v)), allow_pickle=True),
        "1,1,1": npy(np.array([[[1]], [[-1]], [[-1]]])),
    }
    path.write_bytes(archive(members))
    judged = {j.source.rpartition(":")[2]: j for j in judge_file(path)}
    assert {key: j.scheme and j.scheme.id for key, j in judged.items()} == {
        "1,1,2": WIDE.id,
        "2,1,1": TALL.id,
        "1,1,1": standard_scheme(matmul(1, 1, 1), Z).id,
    }
    np.savez(path, **{"1,1,1": objects(u * 0.5, v, v)}, allow_pickle=True)
    assert judge_file(path)[0].verdict.decision == "MALFORMED"
    np.savez(path, **{"1,1,1": np.array([[[np.nan]], [[1]], [[1]]])})  # type: ignore[arg-type]
    assert "not finite" in judge_file(path)[0].verdict.reason
    np.savez(path, arr_0=np.zeros(3))
    with pytest.raises(FormatError, match="key 'arr_0'"):
        judge_file(path)


class Payload:
    """Pickles to a call of whatever it is given."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
def test_no_other_pickle_is_run(protocol: int, tmp_path: Path) -> None:
    flag = tmp_path / "executed"
    header = npy(objects(), allow_pickle=True)
    header = header[: header.index(b"\n") + 1]
    payloads: list[Any] = [
        Payload(os.system, f"touch {flag}"),
        Payload(eval, f"open({str(flag)!r}, 'w')"),
        Payload(Path.touch, flag),
        Payload(np.load, str(flag)),
        objects(np.ones((1, 1)), np.ones((1, 1)), Payload(os.system, f"touch {flag}")),
        [Payload(os.system, f"touch {flag}")],
        {"a": 1},
        {1, 2},
        "text",
    ]
    for payload in payloads:
        path = tmp_path / "x.npz"
        path.write_bytes(archive({"1,1,1": header + pickle.dumps(payload, protocol)}))
        with pytest.raises((FormatError, MalformedError)) as caught:
            read_file(path)
        assert "pickle" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not flag.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"\x80\x03cnumpy\ndtype\n.",
        b"\x80\x03cnumpy\nndarray\n)R.",
        b"\x80\x03cnumpy\nndarray\nNb.",
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\n)RNb.",
        b"\x80\x03cos\nsystem\n.",
        b"\x80\x03Pid\n.",
        b"\x80\x03\x82\x01.",
        b"\x80\x03r\xff\xff\xff\x7f.",
        b"\x80\x03" + b"(" * 5000 + b".",
        b"\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"",
        b".",
    ],
)
def test_hand_made_pickles_are_refused(body: bytes, tmp_path: Path) -> None:
    header = npy(objects(), allow_pickle=True)
    path = tmp_path / "x.npz"
    path.write_bytes(archive({"1,1,1": header[: header.index(b"\n") + 1] + body}))
    with pytest.raises((FormatError, MalformedError)):
        read_file(path)
