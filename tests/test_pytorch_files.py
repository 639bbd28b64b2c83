"""PyTorch's files: what `torch.save` wrote, what it could have written to harm, and writing them."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
import struct
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core._errors import FileFormatError

FILES = Path(__file__).with_name("pytorch_files")
BASE = dc.arange(12.0).reshape(3, 4) - 5


@pytest.fixture(params=["zip.pt", "legacy.pt"])
def path(request):
    return FILES / request.param


def load(data: bytes, **options):
    return dc.load(io.BytesIO(data), **options)


# -- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mmap", [None, True])
def test_what_torch_save_wrote(path, mmap):
    found = dc.load(path, mmap=mmap)
    assert type(found["state"]) is OrderedDict
    assert found["state"]._metadata == OrderedDict({"": {"version": 1}})
    plain = [None, True, -5, 2**70, 1.5, "hé", b"a\xff", (1, (2,)), {1, 2}, 1 + 2j]
    assert found["plain"] == plain
    assert list(map(type, found["plain"])) == list(map(type, plain))
    expected = {
        "column": BASE[:, 1],
        "transposed": BASE.t(),
        "expanded": BASE[0].expand(2, 4),
        "bfloat16": BASE.bfloat16(),
        "bool": BASE > 0,
        "complex": dc.complex(BASE, -BASE),
        "conj": dc.complex(BASE, BASE),
        "number": dc.tensor(3),
        "empty": dc.empty(0, 3),
    }
    if path.name == "zip.pt":
        expected["uint16"] = dc.arange(3).to(dc.uint16)
        expected["float8"] = BASE[0].expand(2, 4)
    for name, tensor in expected.items():
        dc.testing.assert_close(found[name], tensor, rtol=0, atol=0)
    dc.testing.assert_close(found["state"]["weight"], BASE)
    assert type(found["parameter"]) is dc.nn.Parameter
    assert not found["parameter"].requires_grad
    dc.testing.assert_close(found["parameter"].detach(), BASE * 2)
    assert found["leaf"].requires_grad
    assert found["facts"] == (dc.float64, dc.device("cpu"), dc.Size([1, 2]))
    assert type(found["facts"][2]) is dc.Size
    array, number = found["numpy"]
    assert array.dtype == np.int16
    assert array.tolist() == [[0, 1], [2, 3]]
    assert (type(number), number) == (np.float64, 2.5)


def test_memory_that_was_shared_is_shared(path):
    found = dc.load(path)
    found["state"]["weight"][1, 1] = 99
    assert found["state"]["bias"][1].item() == 99
    assert found["column"][1].item() == 99
    assert found["transposed"][1, 1].item() == 99


def test_map_location(path):
    found = dc.load(path, map_location="meta")
    assert found["column"].device.type == "meta"
    assert found["parameter"].device.type == "meta"
    seen = []
    dc.load(path, map_location=lambda tensor, home: seen.append(home))
    assert set(seen) == {"cpu"}


def test_a_state_goes_into_a_module(path, tmp_path):
    layer = dc.nn.Linear(4, 3)
    state = dc.load(path)["state"]
    state["bias"] = state["bias"][:3]
    assert layer.load_state_dict(state) == ([], [])
    dc.testing.assert_close(layer.weight.detach(), BASE)


def test_whole_modules_are_refused_by_name():
    with pytest.raises(
        FileFormatError, match=r"torch\.nn\.modules\.linear\.Linear, which is not data"
    ):
        dc.load(FILES / "module.pt")


# -- writing --------------------------------------------------------------------------------------


def content():
    state = dc.nn.BatchNorm1d(2).state_dict()
    return {
        "state": state,
        "plain": [
            None,
            False,
            0,
            -(2**31),
            2**31,
            -(2**90),
            2**3000,
            -0.5,
            "é\ud800",
            b"\0\xff",
            (),
        ],
        "nested": {1: [(2.5, {"a"}), frozenset({3}), OrderedDict(b=bytearray(b"x"))], (1, "k"): 1j},
        "views": (BASE, BASE[1:], BASE.t(), BASE[:, ::2], BASE[0].expand(3, 4)),
        "alone": (dc.arange(6).reshape(2, 3).t(), dc.ones(1).expand(4)),
        "dtypes": [
            BASE.to(getattr(dc, d)) for d in ("bfloat16", "float16", "int8", "uint16", "bool")
        ],
        "complex": dc.complex(BASE, BASE),
        "parameter": dc.nn.Parameter(BASE),
        "leaf": dc.ones(2, requires_grad=True),
        "empty": dc.empty(0, 2),
        "facts": (dc.int8, dc.device("cpu"), dc.device("cuda:1"), dc.Size([2])),
        "numpy": [np.arange(6.0).reshape(2, 3).T, np.float32(1.5), np.array(["a", "bc"])],
    }


def same(one, other):
    assert type(one) is type(other)
    if isinstance(one, dc.Tensor):
        dc.testing.assert_close(one, other, rtol=0, atol=0)
        assert one.requires_grad == other.requires_grad
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            same(left, right)
    else:
        assert np.array_equal(one, other)


@pytest.mark.parametrize("to_path", [True, False])
def test_written_files_come_back(tmp_path, to_path):
    target = tmp_path / "x.pt" if to_path else io.BytesIO()
    dc.save(content(), target, format="pytorch")
    if not to_path:
        target.seek(0)
    found = dc.load(target)
    same(found, content())
    assert found["state"]._metadata == content()["state"]._metadata
    whole, rows = found["views"][:2]
    whole[1, 0] = 77
    assert rows[0, 0].item() == 77


def test_one_tensor_twice_is_one_tensor():
    tensor = dc.ones(2)
    buffer = io.BytesIO()
    dc.save([tensor, tensor], buffer, format="pytorch")
    first, second = load(buffer.getvalue())
    assert first is second


def test_the_form_of_the_archive(tmp_path):
    dc.save({"a": dc.ones(3), "b": dc.zeros(100)}, tmp_path / "x.pt", format="pytorch")
    with zipfile.ZipFile(tmp_path / "x.pt") as archive:
        names = archive.namelist()
        assert names == [
            "archive/data.pkl", "archive/byteorder", "archive/data/0", "archive/data/1", "archive/version",
        ]  # fmt: skip
        assert archive.testzip() is None
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            begin = info.header_offset + 30 + len(info.filename) + len(info.extra)
            assert begin % 64 == 0
        assert archive.read("archive/version") == b"3\n"


def test_what_cannot_be_written():
    cyclic = []
    cyclic.append(cyclic)
    for wrong, kind, words in (
        ({"a": [print]}, TypeError, r"obj\['a'\]\[0\]"),
        (dc.nn.Linear(1, 1), TypeError, "state_dict"),
        (cyclic, ValueError, "contains itself"),
        (np.array([None]), TypeError, "dtype object"),
    ):
        with pytest.raises(kind, match=words):
            dc.save(wrong, io.BytesIO(), format="pytorch")
    with pytest.raises(ValueError, match="'safetensors' or 'pytorch'"):
        dc.save({}, io.BytesIO(), format="pickle")


def test_an_interrupted_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pt"
    dc.save({"a": dc.ones(2)}, path, format="pytorch")
    with pytest.raises(TypeError):
        dc.save({"a": dc.ones(3), "b": print}, path, format="pytorch")
    assert dc.load(path)["a"].shape == (2,)
    assert os.listdir(tmp_path) == ["x.pt"]


# -- damage and malice ----------------------------------------------------------------------------


def archive(pickled: bytes, storages=(), method=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        made.writestr("x/data.pkl", pickled)
        for key, data in enumerate(storages):
            made.writestr(f"x/data/{key}", data)
    return buffer.getvalue()


class Evil:
    def __reduce__(self):
        return os.system, ("echo broken > /tmp/should_not_be",)


def test_code_is_never_run(monkeypatch):
    evils = [pickle.dumps(Evil(), protocol) for protocol in range(6)]
    monkeypatch.setattr(os, "system", lambda command: pytest.fail("it ran"))
    for evil in evils:
        with pytest.raises(FileFormatError, match=r"posix\.system|os\.system|nt\.system"):
            load(archive(evil))


@pytest.mark.parametrize(
    "name",
    ["builtins eval", "builtins getattr", "torch load", "numpy.core.multiarray fromfile",
     "torch.hub load", "collections defaultdict", "functools partial", "torch _utils._rebuild"],
)  # fmt: skip
def test_names_that_are_not_data(name):
    module, _, attribute = name.partition(" ")
    with pytest.raises(FileFormatError, match="which is not data"):
        load(archive(f"c{module}\n{attribute}\n.".encode()))


def storage(key=b"0", kind=b"FloatStorage", length=4):
    return (
        b"(X\x07\0\0\0storagectorch\n" + kind + b"\nX\x01\0\0\0" + key + b"X\x03\0\0\0cpuK"
        + bytes([length]) + b"tQ"
    )  # fmt: skip


def tensor(offset=b"K\0", size=b"K\x04\x85", stride=b"K\x01\x85", **options):
    begin = b"ctorch._utils\n_rebuild_tensor_v2\n("
    return (
        begin + storage(**options) + offset + size + stride + b"\x89Ntd0R".replace(b"td0R", b"tR")
    )


def test_tensors_stay_inside_their_storages():
    data = np.arange(4, dtype=np.float32).tobytes()
    assert load(archive(tensor() + b".", [data])).tolist() == [0, 1, 2, 3]
    wrong = {
        "offset": tensor(offset=b"K\x01"),
        "negative offset": tensor(offset=b"J\xff\xff\xff\xff"),
        "size": tensor(size=b"K\x05\x85"),
        "huge size": tensor(size=b"\x8a\x09\0\0\0\0\0\0\0\0\x01\x85"),
        "negative size": tensor(size=b"J\xff\xff\xff\xff\x85"),
        "stride": tensor(stride=b"K\x02\x85"),
        "negative stride": tensor(stride=b"J\xff\xff\xff\xff\x85"),
        "fewer strides": tensor(stride=b")"),
        "missing storage": tensor(key=b"1"),
        "longer storage": tensor(length=5),
        "no number": tensor(size=b"X\x01\0\0\0a\x85"),
    }
    for what, pickled in wrong.items():
        try:
            load(archive(pickled + b".", [data]))
        except FileFormatError:
            continue
        pytest.fail(f"{what} was accepted")


def test_bools_are_zero_or_one():
    with pytest.raises(FileFormatError, match="neither 0 nor 1"):
        load(archive(tensor(kind=b"BoolStorage") + b".", [b"\x02\0\0\0"]))


def bomb(depth=60):
    """A tuple of two of a tuple of two ..., whose hash would take 2**60 steps."""
    pickled = b"K\x01K\x02\x86"
    for index in range(depth):
        pickled += b"q" + bytes([index]) + b"h" + bytes([index]) + b"\x86"
    return pickled


def test_bombs():
    text = b"X" + struct.pack("<I", 50_000) + b"a" * 50_000
    encode = b"c_codecs\nencode\n(h\0X\x06\0\0\0latin1tR0"
    for pickled in (
        b"}(" + bomb() + b"K\0u.",
        b"c__builtin__\nset\n](" + bomb() + b"e\x85R.",
        b"ccollections\nOrderedDict\n](" + bomb() + b"K\0\x86e\x85R.",
        b"\x8f(" + bomb() + b"\x90.",
        b"(" + bomb() + b"\x91.",
        text + b"q\0" + encode * 10_000 + b".",
        b"K\0r\xff\xff\xff\x7f" * 2 + b"00.",
        b"cnumpy\ndtype\nX\x08\0\0\0U9999999\x85R.",
        b"c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
        b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\0\0\0f8\x85RJ\xff\xff\xff\x7f\x86R.",
        b"(" * 100_000 + b"t" * 100_000 + b".",
        b"I" + b"9" * 10_000 + b"\n.",
        b"K\x01b.", b"(K\x01.",
        b"c_codecs\nencode\n.", b"]c_codecs\nencode\na.", b"K\x01)R.", b"a.", b"", b"(.",
    ):  # fmt: skip
        try:
            found = load(archive(pickled))
        except FileFormatError:
            continue
        assert isinstance(found, (int, tuple))  # memos of high numbers and deep tuples are harmless


def test_compressed_members_are_refused():
    with pytest.raises(FileFormatError, match="compressed or encrypted"):
        load(archive(b"N.", method=zipfile.ZIP_DEFLATED))


def test_other_archives_are_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("readme.txt", "hello")
    with pytest.raises(FileFormatError, match=r"without data.pkl"):
        load(buffer.getvalue())
    with zipfile.ZipFile(buffer, "a") as made:
        made.writestr("x/data.pkl", "N.")
        made.writestr("x/constants.pkl", "N.")
    with pytest.raises(FileFormatError, match="TorchScript"):
        load(buffer.getvalue())


def test_flipped_bits_in_storages_are_noticed():
    data = bytearray((FILES / "zip.pt").read_bytes())
    at = bytes(data).index(np.arange(-5, 7, dtype=np.float32).tobytes())
    data[at + 2] ^= 4
    with pytest.raises(FileFormatError, match="checksum"):
        load(bytes(data))


def attempt(data: bytes, path: Path) -> None:
    """Load damaged bytes in both ways: an error that says so, or some object."""
    for read in (lambda: load(data), lambda: dc.load(path, mmap=True)):
        with contextlib.suppress(RuntimeError):
            read()


def test_truncated_files(path, tmp_path):
    whole = path.read_bytes()
    short = tmp_path / "short.pt"
    for end in [*range(0, 300, 7), *range(300, len(whole), 61)]:
        short.write_bytes(whole[:end])
        with pytest.raises(FileFormatError):
            load(whole[:end])
        attempt(whole[:end], short)


def test_damaged_files(path, tmp_path):
    whole = path.read_bytes()
    random_ = random.Random(0)
    broken = tmp_path / "broken.pt"
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(random_.choice((1, 1, 2, 8))):
            data[random_.randrange(len(data))] = random_.randrange(256)
        broken.write_bytes(data)
        attempt(bytes(data), broken)


def test_damaged_pickles_with_right_checksums():
    """Damage that no checksum shows: to the pickle inside an archive."""
    with zipfile.ZipFile(FILES / "zip.pt") as archive_:
        contents = {info.filename: archive_.read(info) for info in archive_.infolist()}
    name = next(n for n in contents if n.endswith("data.pkl"))
    random_ = random.Random(1)
    for _ in range(400):
        data = bytearray(contents[name])
        for _ in range(random_.choice((1, 1, 3))):
            data[random_.randrange(len(data))] = random_.randrange(256)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as made:
            for member, content_ in contents.items():
                made.writestr(member, bytes(data) if member == name else content_)
        with contextlib.suppress(RuntimeError):
            load(buffer.getvalue())


def test_counters():
    assert load(archive(pickle.dumps(Counter("abca"), 2))) == Counter("abca")
