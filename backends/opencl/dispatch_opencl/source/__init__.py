"""The OpenCL C of the kernels, and how a program's source is put together from it.

The files are templates: `@F` and the like stand for what differs between families and devices.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from dispatch_opencl.kinds import FLOAT, LONG, Family

DIMS = 6
"""Dimensions beside the innermost one that a kernel walks through."""


@cache
def text(name: str) -> str:
    """A file of this folder."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def filled(template: str, **values: object) -> str:
    """A template with its `@` names replaced, the longest first."""
    for name in sorted(values, key=len, reverse=True):
        template = template.replace(f"@{name}", str(values[name]))
    return template


def prelude(has_double: bool) -> str:
    """The beginning of every program."""
    has = "#define HAS_DOUBLE\n" if has_double else ""
    return f"{has}#define DIMS {DIMS}\n{text('types.cl')}"


_NATIVE = {
    "f": "F32", "d": "F64", "l": "I64", "u": "U64", "cf": "C64", "cd": "C128",
}  # fmt: skip
_INTEGERS = {
    "U8": "uchar", "I8": "char", "U16": "ushort", "I16": "short",
    "U32": "uint", "I32": "int", "U64": "ulong", "I64": "long",
}  # fmt: skip
_MASK = {"f": "int", "d": "long", "l": "long", "u": "long", "cf": "int", "cd": "int"}


def family(family: Family, lanes: int) -> str:
    """Types, loads and stores of a family, `lanes` elements at a time."""
    name = family.name
    values = {
        "F": name,
        "T": family.scalar,
        "N": lanes,
        "W": lanes if lanes > 1 else "",
        "M": _MASK[name],
        "NATIVE": _NATIVE[name],
    }
    begin = f"#define NATIVE_{name} {_NATIVE[name]}\n"
    values["FUNCTIONS"] = filled(_functions(family), **values)
    if lanes == 1:
        return begin + filled(text("single.cl"), **values)
    values["LOADS"] = filled(_fast_loads(family), **values)
    values["STORES"] = filled(_fast_stores(family), **values)
    return begin + filled(text("family.cl"), **values) + filled(text("truth.cl"), **values)


def _functions(family: Family) -> str:
    """`read` and `write` of single elements, of whatever kind they are stored in."""
    if family is LONG:
        reads = "".join(
            f"    case {kind}: return ((global const {c}*)p)[i];\n" for kind, c in _INTEGERS.items()
        )
        writes = "".join(
            f"    case {kind}: ((global {c}*)p)[i] = ({c})x; break;\n"
            for kind, c in _INTEGERS.items()
        )
        return (
            "static T_@F read_@F(In p, long i, int kind) {\n  switch (kind) {\n"
            f"{reads}    default: return p[i] != 0;\n  }}\n}}\n"
            "static void write_@F(Out p, long i, int kind, T_@F x) {\n  switch (kind) {\n"
            f"{writes}    default: p[i] = x != 0;\n  }}\n}}"
        )
    if family is FLOAT:
        return text("halves.cl")
    return (
        "static T_@F read_@F(In p, long i, int kind) { return ((global const T_@F*)p)[i]; }\n"
        "static void write_@F(Out p, long i, int kind, T_@F x) { ((global T_@F*)p)[i] = x; }"
    )


def _fast_loads(family: Family) -> str:
    if family is LONG:
        return "if (kind == I32) return convert_@T@W(vload@W(0, (global const int*)p + at));"
    if family is FLOAT:
        return (
            "if (kind == F16) return vload_half@W(0, (global const half*)p + at);\n"
            "    if (kind == BF16)\n"
            "      return as_float@W(convert_uint@W(vload@W(0, (global const ushort*)p + at)) << 16);"
        )
    return ""


def _fast_stores(family: Family) -> str:
    if family is LONG:
        return "if (kind == I32) { vstore@W(convert_int@W(x), 0, (global int*)p + at); return; }"
    if family is FLOAT:
        return (
            "if (kind == F16) { vstore_half@W_rte(x, 0, (global half*)p + at); return; }\n"
            "    if (kind == BF16) {\n"
            "      uint@W bits = as_uint@W(x);\n"
            "      bits = x != x ? (uint@W)0x7fc0 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;\n"
            "      vstore@W(convert_ushort@W(bits), 0, (global ushort*)p + at);\n"
            "      return;\n"
            "    }"
        )
    return ""
