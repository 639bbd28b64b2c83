"""What operators of one kind have in common: dtype rule, shape rule, error words, sample inputs.

A declaration names its family; whatever follows from the kind of operator is written here and nowhere
else. `Family` itself suits operators without a rule of their own ("custom").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dispatch_core._dtypes import Category, Priority, bool_, can_cast, dtype, promote_operands
from dispatch_core._numbers import wrapped

if TYPE_CHECKING:
    from dispatch_core._dispatcher.operator import Op

Keys = tuple[Any, ...]
Make = Callable[..., Any]
"""`make(*shape, **wishes)`: a tensor of the dtype under test, for sample inputs."""
Sample = tuple[Any, ...]
"""Positional arguments of one call; a trailing dict holds keyword arguments."""

REAL = frozenset({Category.BOOL, Category.INTEGRAL, Category.FLOATING})
ALL = frozenset(Category)
NUMBERS = frozenset({Category.INTEGRAL, Category.FLOATING, Category.COMPLEX})
REAL_NUMBERS = frozenset({Category.INTEGRAL, Category.FLOATING})
INEXACT = frozenset({Category.FLOATING, Category.COMPLEX})
FLOATING = frozenset({Category.FLOATING})
COMPLEX = frozenset({Category.COMPLEX})
INTEGRAL = frozenset({Category.INTEGRAL})
DISCRETE = frozenset({Category.BOOL, Category.INTEGRAL})


class Family:
    """A kind of operator.

    Args:
        accepts: categories of the compute dtype that kernels must handle.
        samples: a function `make -> list of samples`, for operators whose arguments the family
            cannot guess.
        domain: interval of the values that sample inputs are drawn from.
        halves: whether 16-bit floating types are among what it computes on.
        tested_as: `tested_as(operator, *args)`, what the generated checks compare and differentiate where
            not the operator itself (results up to a phase, arguments that must stay symmetric).
        constant: names of tensor parameters that those checks leave alone.
        alike: whether operands must have one dtype, where the kind of operator does not say.
        promotes: whether they are brought to a common one first, where it does not say.

    """

    promotes = False
    """Whether arguments of different dtypes are brought to a common one first."""
    broadcasts = False
    """Whether arguments are broadcast, so that gradients must be summed back."""
    inplace = False
    """Whether operators of this kind have an in-place variant."""
    alike = False
    """Whether operands must have one dtype as they are given; for operators that do not promote."""
    kind = "custom"
    batching: str | None = None
    """The name of the rule by which `vmap` computes on all examples at once; None: example by example."""

    def __init__(
        self,
        accepts: Iterable[Category] = ALL,
        *,
        samples: Callable[[Make], list[Sample]] | None = None,
        domain: tuple[float, float] = (-2.0, 2.0),
        apart: Sequence[str] = (),
        truths: Sequence[str] = (),
        whole: Sequence[str] = (),
        bytes_too: bool = False,
        inplace: bool | None = None,
        rule: Callable[..., None] | None = None,
        halves: bool = True,
        tested_as: Callable[..., Any] | None = None,
        constant: Sequence[str] = (),
        alike: bool | None = None,
        promotes: bool | None = None,
    ) -> None:
        self.accepts = frozenset(accepts)
        self.given_samples = samples
        self.domain = domain
        self.apart = frozenset(apart)
        """Names of tensor parameters that take no part in promotion (conditions, indices)."""
        self.truths = frozenset(truths)
        """Names of those among them that must be of dtype bool."""
        self.whole = frozenset(whole)
        """Names of those among them that must be of an integer dtype."""
        self.apart |= self.truths | self.whole
        self.bytes_too = bytes_too
        """Whether those may be of dtype uint8 instead, which is deprecated."""
        self.rule = rule
        """Called with the arguments of a call whose kernel failed; raises what is wrong with them."""
        self.halves = halves
        self.tested_as = tested_as
        self.constant = frozenset(constant)
        if inplace is not None:
            self.inplace = inplace
        if alike is not None:
            self.alike = alike
        if promotes is not None:
            self.promotes = promotes

    def compute(self, operands: Sequence[tuple[dtype, Priority]]) -> dtype:
        """The dtype in which the operator is computed, for operands of these dtypes and ranks."""
        return promote_operands(operands)

    def result(self, op: Op, computed: dtype) -> dtype | None:
        """The dtype of the result when computed in `computed`; None when only the kernel knows."""
        return None

    def fits_out(self, result: dtype, out: dtype) -> bool:
        """Whether a result of one dtype may be written to an `out=` of another."""
        return can_cast(result, out)

    def takes(self, computed: dtype) -> bool:
        """Whether operators of this kind compute in a dtype."""
        half = computed.is_floating_point and computed.itemsize == 2
        return computed.category in self.accepts and (self.halves or not half)

    def accept(self, op: Op, computed: dtype) -> None:
        """Raise NotImplementedError, as PyTorch does, where the compute dtype makes no sense."""
        if not self.takes(computed):
            fitting = ", ".join(c.name.lower() for c in sorted(self.accepts))
            if not self.halves:
                fitting += " (not 16-bit)"
            raise NotImplementedError(
                f"\"{op.name}\" not implemented for '{computed.name}'; it computes on {fitting} "
                "tensors, convert the arguments first, as in x.to(dtype)"
            )

    def literal(self, name: str, computed: dtype) -> Callable[[Any], Any] | None:
        """What makes of a Python number, given for a parameter, the one computed with; None: nothing.

        Raises RuntimeError for a number that the parameter does not take.
        """
        return partial(wrapped, wanted=computed) if computed.category is Category.INTEGRAL else None

    def admit_operands(self, op: Op, keys: Keys) -> None:
        """Raise where the operands do not go together as they are given, before they are promoted."""

    def admit(self, op: Op, dtypes: Mapping[str, dtype]) -> None:
        """Raise where the dtypes of the tensor arguments (by parameter name) do not go together."""
        if self.alike and len(set(dtypes.values())) > 1:
            named = ", ".join(f"{name}: {d}" for name, d in dtypes.items())
            raise RuntimeError(
                f"{op.title}expected all operands to have the same dtype, but got {named}; "
                "convert one of them with .to(dtype)"
            )

    def admit_apart(self, op: Op, dtypes: Mapping[str, dtype]) -> None:
        """Raise where an argument that takes no part in promotion is not of the dtype it must have."""
        for name in self.truths & dtypes.keys():
            if dtypes[name] is not bool_:
                raise RuntimeError(
                    f"{op.title}expected {name} to be a boolean tensor, but got a tensor with dtype "
                    f"{dtypes[name].name}; compare it first, as in {name} != 0"
                )
        for name in self.whole & dtypes.keys():
            if dtypes[name].category is not Category.INTEGRAL:
                raise RuntimeError(
                    f"{op.title}expected {name} to be integers, but got a tensor with dtype "
                    f"{dtypes[name].name}; convert it first, as in {name}.to(int64)"
                )

    def check(self, op: Op, args: Sequence[Any]) -> None:
        """Raise the mistake in a call whose kernel failed, in words that say how to fix it."""
        if self.rule is not None:
            self.rule(*args)

    def samples(self, op: Op, make: Make) -> list[Sample]:
        """Sample inputs for the generated tests."""
        return [] if self.given_samples is None else self.given_samples(make)
