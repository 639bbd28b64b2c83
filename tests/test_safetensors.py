"""The safetensors reader and writer: round trips, the rules of the format, damage, crashes."""

from __future__ import annotations

import io
import json
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_core._errors import FileFormatError
from dispatch_core._serialization import SafetensorsFile, write_safetensors
from dispatch_core._serialization._header import DTYPE_OF_TAG

DTYPES = list(DTYPE_OF_TAG.values())


def raw_file(header: object, data: bytes = b"") -> io.BytesIO:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return io.BytesIO(len(text).to_bytes(8, "little") + text + data)


def same(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def random_array(dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng(0)
    if dtype == np.bool_:
        return np.asarray(generator.random(shape) < 0.5)
    size = int(np.prod(shape)) * dtype.itemsize
    data = generator.integers(0, 256, size, np.uint8)
    return np.ndarray(shape, dtype, data.tobytes()).copy() if size else np.empty(shape, dtype)


def round_trip(arrays: dict[str, Any], **kwargs: Any) -> SafetensorsFile:
    buffer = io.BytesIO()
    write_safetensors(buffer, arrays, **kwargs)
    buffer.seek(0)
    return SafetensorsFile(buffer)


# --- round trips ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
@pytest.mark.parametrize("mmap", [True, False])
def test_every_dtype(
    tmp_path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], mmap: bool
) -> None:
    array = random_array(dtype, shape)
    write_safetensors(tmp_path / "x", {"odd": np.ones(3, np.int8), "a": array})
    with SafetensorsFile(tmp_path / "x", mmap=mmap) as file:
        assert list(file) == ["odd", "a"]
        back = file["a"]
    assert same(back, array)
    assert back.flags.writeable
    assert back.flags.aligned


layouts: list[Callable[[Any], Any]] = [
    lambda a: a,
    lambda a: a.T,
    lambda a: a[::-1, ::2],
    lambda a: a[1:, 1:],
    lambda a: np.asfortranarray(a),
    lambda a: np.broadcast_to(a[0], (3, a.shape[1])),
]


@pytest.mark.parametrize("layout", layouts)
@pytest.mark.parametrize("dtype", [np.float32, ">i2", "<c8", ml_dtypes.bfloat16])
def test_any_memory_layout(layout: Callable[[Any], Any], dtype: Any) -> None:
    array = layout(np.arange(20).reshape(4, 5).astype(dtype))
    back = round_trip({"a": array})["a"]
    assert back.dtype == np.dtype(dtype).newbyteorder("=")
    assert back.shape == array.shape
    assert (back == array).all()


@given(
    st.dictionaries(
        st.text(max_size=8).filter(lambda s: s != "__metadata__"),
        hnp.arrays(
            st.sampled_from(["?", "u1", "i2", "<i4", ">i4", "f2", "<f8", "c8"]),
            hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
        ),
        max_size=5,
    ),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_round_trip(arrays: dict[str, Any], metadata: dict[str, str]) -> None:
    file = round_trip(arrays, metadata=metadata)
    assert file.metadata == metadata
    assert list(file) == list(arrays)
    for name, array in arrays.items():
        assert same(file[name], array.astype(array.dtype.newbyteorder("=")))


def test_the_library_reads_what_we_write_and_the_other_way_round(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy")
    arrays = {
        str(dtype): random_array(dtype, (2, 3))
        for dtype in DTYPES
        if dtype.kind in "biufc" and not str(dtype).startswith(("bfloat", "float8"))
    }
    write_safetensors(tmp_path / "ours", arrays, {"format": "np"})
    theirs = library.load_file(tmp_path / "ours")
    assert theirs.keys() == arrays.keys()
    library.save_file(arrays, tmp_path / "theirs", {"key": "value"})
    ours = SafetensorsFile(tmp_path / "theirs")
    assert ours.metadata == {"key": "value"}
    for name, array in arrays.items():
        assert same(theirs[name], array)
        assert same(ours[name], array)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_library_accepts_our_header(dtype: np.dtype[Any]) -> None:
    library = pytest.importorskip("safetensors")
    buffer = io.BytesIO()
    write_safetensors(buffer, {"a": random_array(dtype, (2, 3)), "b": random_array(dtype, ())})
    found = dict(library.deserialize(buffer.getvalue()))
    assert DTYPE_OF_TAG[found["a"]["dtype"]] == dtype


# --- files ---------------------------------------------------------------------------


def test_lazy_and_mapped(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_safetensors(path, {"a": np.arange(4.0), "b": np.arange(3)})
    before = path.read_bytes()
    file = SafetensorsFile(path)
    array = file["a"]
    array[:] = 7
    assert path.read_bytes() == before
    assert file.entries["a"].shape == (4,)
    assert repr(file) == f"<SafetensorsFile {str(path)!r}: 2 arrays>"
    file.close()
    assert array.tolist() == [7] * 4
    with pytest.raises(ValueError, match="file is closed"):
        file["b"]
    with pytest.raises(KeyError):
        file["nothing"]


def test_replacing_a_mapped_file_leaves_its_arrays_alone(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "x", {"a": np.zeros(1000)})
    array = SafetensorsFile(tmp_path / "x")["a"]
    write_safetensors(tmp_path / "x", {"a": np.ones(10)})
    assert array.shape == (1000,)
    assert not array.any()


class OnlyRead:
    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


def test_file_objects_from_their_position() -> None:
    buffer = io.BytesIO()
    buffer.write(b"prefix")
    write_safetensors(buffer, {"a": np.arange(3)})
    buffer.seek(6)
    assert SafetensorsFile(buffer)["a"].tolist() == [0, 1, 2]
    assert SafetensorsFile(OnlyRead(buffer.getvalue()[6:]))["a"].tolist() == [0, 1, 2]


class NoReadinto:
    """A seekable file object with nothing but what is needed; it may lose its end."""

    def __init__(self, data: bytes, lost: int = 0) -> None:
        self._inner, self._lost = io.BytesIO(data), lost
        self.seek, self.tell = self._inner.seek, self._inner.tell

    def read(self, size: int = -1) -> bytes:
        limit = len(self._inner.getvalue()) - self._lost - self._inner.tell()
        return self._inner.read(max(0, min(size, 5, limit)))


def test_file_objects_that_give_a_few_bytes_at_a_time() -> None:
    buffer = io.BytesIO()
    write_safetensors(buffer, {"a": np.arange(30)})
    content = buffer.getvalue()
    assert SafetensorsFile(NoReadinto(content))["a"].tolist() == list(range(30))
    with pytest.raises(FileFormatError, match="ended while it was read"):
        SafetensorsFile(NoReadinto(content, lost=8))["a"]


@pytest.mark.skipif(os.name != "posix", reason="named pipes are POSIX's")
def test_a_named_pipe_is_written_to_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    code = f"open({str(tmp_path / 'copy')!r}, 'wb').write(open({str(path)!r}, 'rb').read())"
    with subprocess.Popen([sys.executable, "-c", code]):
        write_safetensors(path, {"a": np.arange(3)})
    assert path.is_fifo()
    assert SafetensorsFile(tmp_path / "copy")["a"].tolist() == [0, 1, 2]


def test_a_raw_file_that_takes_few_bytes_at_a_time() -> None:
    class Slow(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data[:7]))

    slow = Slow()
    write_safetensors(slow, {"a": np.arange(30)})
    assert SafetensorsFile(io.BytesIO(slow.getvalue()))["a"].tolist() == list(range(30))


def test_alignment_of_the_data() -> None:
    buffer = io.BytesIO()
    write_safetensors(buffer, {"b": np.ones(3, np.int8), "h": np.ones(3, "f2"), "d": np.ones(3)})
    content = buffer.getvalue()
    length = int.from_bytes(content[:8], "little")
    assert (8 + length) % 64 == 0
    header = json.loads(content[8 : 8 + length])
    offsets = {name: field["data_offsets"][0] for name, field in header.items()}
    assert offsets == {"d": 0, "h": 24, "b": 30}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ({"a": np.array(["x"])},),
            TypeError,
            "array 'a': the safetensors format has no dtype <U1",
        ),
        (({"a": np.ones(2, complex)},), TypeError, "no dtype complex128; it has bool"),
        (({"a": [1.0]},), TypeError, "array 'a': expected a numpy array, got list"),
        (({1: np.ones(1)},), TypeError, "must be strings, got int"),
        (({"__metadata__": np.ones(1)},), ValueError, "reserved"),
        (({"\ud800": np.ones(1)},), ValueError, "not valid Unicode"),
        (({}, {"a": 1}), TypeError, "must be strings, got int"),
    ],
)
def test_what_cannot_be_written(
    tmp_path: Path, arguments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        write_safetensors(tmp_path / "x", *arguments)
    assert not list(tmp_path.iterdir())


def test_a_header_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatch_core._serialization import _header, _safetensors

    buffer = io.BytesIO()
    write_safetensors(buffer, {"a": np.ones(1)})
    monkeypatch.setattr(_safetensors, "MAX_HEADER_BYTES", 50)
    with pytest.raises(ValueError, match="more than the 50 that readers accept"):
        write_safetensors(io.BytesIO(), {"a": np.ones(1)})
    monkeypatch.setattr(_header, "MAX_HEADER_BYTES", 50)
    with pytest.raises(FileFormatError, match="exceeds the limit of 50"):
        SafetensorsFile(io.BytesIO(buffer.getvalue()))


def test_wrong_file_arguments(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'write' method, got int"):
        write_safetensors(3, {})
    with pytest.raises(TypeError, match="'write' method, got StringIO"):
        write_safetensors(io.StringIO(), {})
    with pytest.raises(TypeError, match="'read' method, got int"):
        SafetensorsFile(3)
    with pytest.raises(TypeError, match=r"binary file object .* got StringIO"):
        SafetensorsFile(io.StringIO("x" * 20))
    with pytest.raises(FileNotFoundError):
        SafetensorsFile(tmp_path / "missing")
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist"):
        write_safetensors(tmp_path / "nowhere" / "x", {})
    with pytest.raises(IsADirectoryError, match="give a file name"):
        write_safetensors(tmp_path, {})


# --- rules of the format -------------------------------------------------------------


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


BROKEN: dict[str, tuple[object, bytes, str]] = {
    "not JSON": (b"{oops", b"", "not valid JSON"),
    "not an object": (b"[1]", b"", "does not begin with"),
    "leading space": (b' {"a":1}', b"", "does not begin with"),
    "two values": (b"{} {}", b"", "not valid JSON"),
    "not UTF-8": (b'{"\xff":1}', b"", "not valid JSON"),
    "NaN": (b'{"a":NaN}', b"", "NaN is not JSON"),
    "deep": (b'{"a":' + b"[" * 100000, b"", "not valid JSON"),
    "long number": (b'{"a":' + b"9" * 5000 + b"}", b"", "not valid JSON"),
    "twice": (b'{"a":1,"b":2,"a":1}', b"", "key 'a' twice"),
    "twice inside": (b'{"a":{"dtype":"F32","dtype":"F32"}}', b"", "key 'dtype' twice"),
    "metadata list": ({"__metadata__": []}, b"", "values are all strings"),
    "metadata number": ({"__metadata__": {"a": 1}}, b"", "values are all strings"),
    "surrogate": ({"\ud800": entry()}, bytes(8), "not valid Unicode"),
    "not an entry": ({"a": 3}, b"", "tensor 'a': expected an object"),
    "missing key": ({"a": {"dtype": "F32", "shape": []}}, b"", "exactly dtype, shape"),
    "extra key": ({"a": entry() | {"x": 1}}, bytes(8), "exactly dtype, shape"),
    "dtype": ({"a": entry("F31")}, bytes(8), "tensor 'a': unknown dtype 'F31'; known are BOOL"),
    "dtype type": ({"a": entry(["F32"])}, bytes(8), "unknown dtype"),
    "negative": ({"a": entry(shape=[-2, -1])}, bytes(8), "non-negative integers"),
    "float": ({"a": entry(shape=[2.0])}, bytes(8), "non-negative integers"),
    "true": ({"a": entry(shape=[True])}, bytes(4), "non-negative integers"),
    "shape": ({"a": entry(shape="2")}, bytes(8), "non-negative integers"),
    "dimensions": ({"a": entry(shape=[1] * 65, offsets=[0, 4])}, bytes(4), "65 dimensions"),
    "huge": ({"a": entry(shape=[2**40, 2**40])}, bytes(8), "too large"),
    "huge empty": ({"a": entry(shape=[0, 2**40, 2**40], offsets=[0, 0])}, b"", "too large"),
    "offsets": ({"a": entry(offsets=[0])}, bytes(8), r"must be \[begin, end\]"),
    "backwards": ({"a": entry(offsets=[8, 0])}, bytes(8), r"must be \[begin, end\]"),
    "size": ({"a": entry(shape=[3])}, bytes(8), "needs 12 bytes, its data_offsets .* hold 8"),
    "nibble": ({"a": entry("F4", [1], [0, 1])}, b"x", "do not fill whole bytes"),
    "hole first": ({"a": entry(offsets=[4, 12])}, bytes(12), "leaves a hole: .* at 4, expected 0"),
    "hole": ({"a": entry(), "b": entry(offsets=[9, 17])}, bytes(17), "'b': leaves a hole"),
    "overlap": ({"a": entry(), "b": entry(offsets=[4, 12])}, bytes(12), "'b': overlaps"),
    "same place": ({"a": entry(), "b": entry()}, bytes(8), "'b': overlaps"),
    "hole last": ({"a": entry()}, bytes(9), "1 bytes after the last tensor"),
    "short": ({"a": entry()}, bytes(7), "'a': .* ends at byte 8, beyond the 7 .* truncated"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("mmap", [True, False])
def test_broken_rules(tmp_path: Path, case: str, mmap: bool) -> None:
    header, data, message = BROKEN[case]
    path = tmp_path / "broken"
    path.write_bytes(raw_file(header, data).getvalue())
    with pytest.raises(FileFormatError, match=message) as caught:
        SafetensorsFile(path, mmap=mmap)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "too short .* 0 bytes"),
        (b"\x01\x02", "too short"),
        (b"\xff" * 16, "should have 18446744073709551615 bytes, the file has 8 more"),
        (bytes(8), "does not begin with"),
        (b"PK\x03\x04" + bytes(40), "looks like a file of torch.save"),
        (b"version https://git-lfs.github.com/spec/v1\n" * 3, "Git LFS pointer"),
    ],
)
def test_other_files(content: bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=f"<BytesIO>: .*{message}"):
        SafetensorsFile(io.BytesIO(content))


def test_bad_elements() -> None:
    header = {"a": entry("BOOL", [8]), "b": entry(offsets=[8, 16])}
    file = SafetensorsFile(raw_file(header, b"\0\1\2" + bytes(13)))
    with pytest.raises(FileFormatError, match="tensor 'a': a bool is neither 0 nor 1"):
        file["a"]
    assert file["b"].tolist() == [0, 0]
    packed = SafetensorsFile(raw_file({"a": entry("F4", [2], [0, 1])}, b"x"))
    with pytest.raises(FileFormatError, match="F4 are narrower than a byte"):
        packed["a"]


def test_misaligned_data_is_copied_into_place(tmp_path: Path) -> None:
    path = tmp_path / "x"
    header = {"b": entry("U8", [1], [0, 1]), "a": entry("F64", [2], [1, 17])}
    path.write_bytes(raw_file(header, b"x" + np.arange(2.0).tobytes()).getvalue())
    array = SafetensorsFile(path)["a"]
    assert array.flags.aligned
    assert array.tolist() == [0, 1]


# --- damage --------------------------------------------------------------------------


def read_everything(content: bytes) -> None:
    try:
        for array in SafetensorsFile(io.BytesIO(content)).values():
            assert array.nbytes < 1000
    except FileFormatError:
        pass


def test_every_truncation_is_noticed() -> None:
    buffer = io.BytesIO()
    write_safetensors(buffer, {"a": np.arange(4.0), "b": np.ones(3, np.bool_)}, {"k": "v"})
    content = buffer.getvalue()
    for size in range(len(content)):
        with pytest.raises(FileFormatError):
            dict(SafetensorsFile(io.BytesIO(content[:size])))
        read_everything(content[size:])


def test_flipped_bits_do_no_harm() -> None:
    buffer = io.BytesIO()
    write_safetensors(buffer, {"a": np.arange(4.0), "b": np.ones((3, 0)), "c": np.ones(3, "?")})
    content = buffer.getvalue()
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        read_everything(bytes(damaged))
    generator = random.Random(0)
    for _ in range(2000):
        damaged = bytearray(content)
        for _ in range(generator.randint(2, 20)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        read_everything(bytes(damaged))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_headers(text: bytes) -> None:
    read_everything(text)
    read_everything(raw_file(b"{" + text).getvalue())


# --- crashes -------------------------------------------------------------------------


class Interrupt(BaseException):
    pass


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    path = tmp_path / "x"
    write_safetensors(path, {"a": np.arange(3)})

    def interrupt(*args: object) -> None:
        raise Interrupt

    monkeypatch.setattr(os, function, interrupt)
    with pytest.raises(Interrupt):
        write_safetensors(path, {"a": np.arange(1000)})
    assert SafetensorsFile(path)["a"].tolist() == [0, 1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


KILLED = """
import os, sys, numpy as np
from dispatch_core._serialization import _safetensors as s
write = s.write_all
def die(file, data):
    write(file, data)
    if len(data) > 10_000:
        file.flush()
        os._exit(9)
s.write_all = die
s.write_safetensors(sys.argv[1], {"a": np.zeros(100_000), "b": np.zeros(10)})
"""


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_safetensors(path, {"a": np.arange(3)})
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=root, check=False)
    assert done.returncode == 9
    assert SafetensorsFile(path)["a"].tolist() == [0, 1, 2]
    assert len(list(tmp_path.iterdir())) == 2  # the unfinished one lies beside it


@pytest.mark.skipif(os.name != "posix", reason="permission bits and links are POSIX's")
def test_permissions_and_links_survive(tmp_path: Path) -> None:
    path, link = tmp_path / "x", tmp_path / "link"
    write_safetensors(path, {})
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    path.chmod(0o640)
    link.symlink_to(path)
    write_safetensors(link, {"a": np.arange(3)})
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert SafetensorsFile(path)["a"].tolist() == [0, 1, 2]
