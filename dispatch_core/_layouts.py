"""Names for how a tensor lies in memory: memory formats, and the one layout that there is."""

from __future__ import annotations


class _Name:
    """A constant with a name; there is exactly one object for each."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"dc.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format(_Name):  # noqa: N801  as in PyTorch
    """In which order the dimensions of a copy lie in memory."""

    __slots__ = ()

    def order(self, ndim: int) -> tuple[int, ...] | None:
        """The dimensions from the outermost in memory to the innermost; None: as they come.

        RuntimeError where the format is for another number of dimensions.
        """
        wanted = {"channels_last": 4, "channels_last_3d": 5}.get(self.name)
        if wanted is None:
            return None
        if ndim != wanted:
            raise RuntimeError(f"required rank {wanted} tensor to use {self.name} format")
        return (0, *range(2, ndim), 1)


class layout(_Name):  # noqa: N801  as in PyTorch
    """How elements are found in memory."""

    __slots__ = ()


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
strided = layout("strided")


def check_format(function: str, value: object) -> memory_format:
    """A memory format; TypeError for anything else."""
    if isinstance(value, memory_format):
        return value
    raise TypeError(
        f"{function}(): argument 'memory_format' must be dc.memory_format, not {type(value).__name__}"
    )
