"""The conformance suite: pytest tests of every operator on one device, made from the declarations.

A backend's whole test file:

    from dispatch_core.testing import conformance

    class TestExample(conformance.Suite):
        device = "example"

Whoever brings operators tests them alone, on any device, by the same class with
`namespace = "example"`.

What a backend is known not to do stands in `known_gaps.txt` beside that file or in the backend's
package, one gap a line: `op: reason` for an operator, `op.check: reason` for one check of it
(`sum.layouts: ...`). Those tests are expected to fail and shown with their reason; one that passes
although `op.check` is listed fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

import pytest

from dispatch_core._device import device
from dispatch_core._namespaces import find_operator
from dispatch_core._op import OPERATORS, SLOTS, Declared, operators_in
from dispatch_core.backend.registry import backend_of
from dispatch_core.testing._checks import (
    batching,
    forms,
    forward,
    gradients,
    memory,
    mistakes,
    values,
)
from dispatch_core.testing._checks.common import HOST
from dispatch_core.testing._reference import REFERENCES
from dispatch_core.testing._samples import declared_operators, has_samples

_CHECKS: dict[str, Callable[[Declared, str], bool]] = {
    "values": lambda d, device: True,
    "definition": lambda d, device: not d.op.traits.primitive and device == HOST,
    "precision": lambda d, device: not _is_random(d) and d.op.name not in values.LIMITS_MATTER,
    "reference": lambda d, device: d.op.name in REFERENCES,
    "method": lambda d, device: d.exposure.method,
    "inplace": lambda d, device: d.exposure.inplace is not None,
    "out": lambda d, device: forms.takes_out(d),
    "layouts": lambda d, device: d.op.name not in memory.LAYOUT_MATTERS,
    "memory": lambda d, device: True,
    "gradient": lambda d, device: d.op.traits.differentiable,
    "gradient_in_full": lambda d, device: d.op.traits.differentiable,
    "gradient_dtypes": lambda d, device: d.op.traits.differentiable and not _is_random(d),
    "second_gradient": lambda d, device: d.op.traits.differentiable,
    "second_gradient_in_full": lambda d, device: d.op.traits.differentiable,
    "batching": lambda d, device: batching.applies(d),
    "forward": lambda d, device: d.op.traits.differentiable,
    "forward_inplace": lambda d, device: (
        d.op.traits.differentiable and d.exposure.inplace is not None
    ),
    "forward_view": lambda d, device: (
        d.op.traits.differentiable and (d.op.traits.view or d.op.family.kind == "movement")
    ),
    "forward_refused": lambda d, device: not d.op.traits.forward,
    "forward_and_reverse": lambda d, device: (
        d.op.traits.differentiable and crc32(d.op.name.encode()) % 8 == 0
    ),
    "forward_and_reverse_in_full": lambda d, device: d.op.traits.differentiable,
    "no_gradient": lambda d, device: not d.op.traits.differentiable,
    "mistakes": lambda d, device: True,
}
"""Check -> whether it applies to an operator on a device."""


def _is_random(declared: Declared) -> bool:
    return declared.op.traits.random or declared.op.family.kind == "random"


class Suite:
    """Tests of all operators on `device`; subclass it under a name that begins with Test."""

    device: ClassVar[str]
    """The device type under test."""
    known_gaps: ClassVar[str] = "known_gaps.txt"
    """The file of known gaps, beside the test file or in the backend's package; it need not exist."""
    leaves_out: ClassVar[frozenset[str]] = frozenset()
    """Checks that make no sense for the device."""
    namespace: ClassVar[str | None] = None
    """Only the operators that a plugin declares in this namespace; it is imported. None: the core's."""
    operators: ClassVar[Sequence[str]] = ()
    """Only these operators, by name, those of plugins too: "smoothstep" or "example.smoothstep"."""

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Make one test for each operator that a check applies to."""
        if "operator" not in metafunc.fixturenames:
            return
        check = metafunc.function.__name__.removeprefix("test_")
        chosen = [] if check in self.leaves_out else self._chosen()
        gaps = self._gaps()
        applies = _CHECKS[check]
        slow = []
        if check.endswith("_in_full"):
            # Registered here, so that a stranger's pytest knows the mark without configuration.
            metafunc.config.addinivalue_line("markers", "slow: takes more than some seconds")
            slow = [pytest.mark.slow]
        metafunc.parametrize(
            "operator",
            [
                pytest.param(d.op.name, marks=_marks(gaps, d.op.name, check) + slow)
                for d in chosen
                if applies(d, self.device)
            ],
        )

    def _chosen(self) -> list[Declared]:
        """The operators to test; what the class asks for and cannot be tested is an error."""
        if self.operators:
            found = [OPERATORS[find_operator(name).name] for name in self.operators]
        elif self.namespace is not None:
            if SLOTS.namespace(self.namespace) is None:
                raise LookupError(
                    f"nothing that is installed provides operators '{self.namespace}'"
                )
            found = list(operators_in(self.namespace))
        else:
            return [
                d for d in declared_operators() if d.front.__module__.startswith("dispatch_core.")
            ]
        bare = [d.op.name for d in found if not has_samples(d.op)]
        if bare:
            raise LookupError(
                f"there are no sample calls of {', '.join(bare)}; give the family samples="
            )
        return found

    def _gaps(self) -> dict[str, str]:
        module = sys.modules.get(type(self).__module__)
        file = getattr(module, "__file__", None)
        path = None if file is None else Path(file).with_name(self.known_gaps)
        if path is not None and path.exists():
            return read_gaps(path)
        return gaps_of(device(self.device).type, self.known_gaps)

    def test_values(self, operator: str) -> None:
        """Results equal those of the host; arguments stay as they are; dtypes are the family's."""
        values.check_values(OPERATORS[operator], self.device)

    def test_definition(self, operator: str) -> None:
        """A kernel computes what the body of its composite says."""
        values.check_definition(OPERATORS[operator], self.device)

    def test_precision(self, operator: str) -> None:
        """Narrow types give the values of wide ones."""
        values.check_precision(OPERATORS[operator], self.device)

    def test_reference(self, operator: str) -> None:
        """Results equal those of numpy's function."""
        values.check_reference(OPERATORS[operator], self.device)

    def test_method(self, operator: str) -> None:
        """The method does what the function does."""
        forms.check_method(OPERATORS[operator], self.device)

    def test_inplace(self, operator: str) -> None:
        """The in-place variant writes what the function returns."""
        forms.check_inplace(OPERATORS[operator], self.device)

    def test_out(self, operator: str) -> None:
        """The result is written to `out=`."""
        forms.check_out(OPERATORS[operator], self.device)

    def test_layouts(self, operator: str) -> None:
        """Strided and expanded arguments give what contiguous ones give."""
        memory.check_layouts(OPERATORS[operator], self.device)

    def test_memory(self, operator: str) -> None:
        """Views share memory, kernels do not."""
        memory.check_memory(OPERATORS[operator], self.device)

    def test_gradient(self, operator: str) -> None:
        """Gradients agree with differences, in raw and in tensor mode."""
        gradients.check_gradient(OPERATORS[operator], self.device)

    def test_gradient_in_full(self, operator: str) -> None:
        """Gradients agree with differences, every element."""
        gradients.check_gradient(OPERATORS[operator], self.device, full=True)

    def test_gradient_dtypes(self, operator: str) -> None:
        """Gradients in narrow types have the right dtype and value."""
        gradients.check_gradient_dtypes(OPERATORS[operator], self.device)

    def test_second_gradient(self, operator: str) -> None:
        """Second derivatives agree with differences along a direction."""
        gradients.check_second_gradient(OPERATORS[operator], self.device)

    def test_second_gradient_in_full(self, operator: str) -> None:
        """Second derivatives agree with differences, every element."""
        gradients.check_second_gradient(OPERATORS[operator], self.device, full=True)

    def test_batching(self, operator: str) -> None:
        """Vmap gives what a loop gives."""
        batching.check_batching(OPERATORS[operator], self.device)

    def test_forward(self, operator: str) -> None:
        """Forward mode is the transpose of reverse mode."""
        forward.check_forward(OPERATORS[operator], self.device)

    def test_forward_inplace(self, operator: str) -> None:
        """The in-place variant writes tangents too."""
        forward.check_forward_inplace(OPERATORS[operator], self.device)

    def test_forward_view(self, operator: str) -> None:
        """Views of dual tensors share the memory of value and tangent."""
        forward.check_forward_view(OPERATORS[operator], self.device)

    def test_forward_refused(self, operator: str) -> None:
        """What has no tangent says so, instead of passing for a constant."""
        forward.check_forward_refused(OPERATORS[operator], self.device)

    def test_forward_and_reverse(self, operator: str) -> None:
        """Second derivatives by both modes, in any order; a sample of the operators."""
        forward.check_mixed(OPERATORS[operator], self.device)

    def test_forward_and_reverse_in_full(self, operator: str) -> None:
        """Second derivatives by both modes, in any order; all operators."""
        forward.check_mixed(OPERATORS[operator], self.device)

    def test_no_gradient(self, operator: str) -> None:
        """What is not differentiable has no history."""
        gradients.check_no_gradient(OPERATORS[operator], self.device)

    def test_mistakes(self, operator: str) -> None:
        """Mistakes in a call raise the error that PyTorch raises."""
        mistakes.check_mistakes(OPERATORS[operator], self.device)


def gaps_of(device: str, name: str = "known_gaps.txt") -> dict[str, str]:
    """The known gaps that the package of a device's backend lists."""
    package = sys.modules.get(type(backend_of(device)).__module__.partition(".")[0])
    file = getattr(package, "__file__", None)
    path = None if file is None else Path(file).with_name(name)
    return {} if path is None or not path.exists() else read_gaps(path)


def read_gaps(path: Path) -> dict[str, str]:
    """The lines `op: reason` and `op.check: reason` of a file; `#` begins a comment.

    Raises ValueError for a line without a reason or about an operator that does not exist.
    """
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        name, _, reason = (part.strip() for part in line.partition(":"))
        op, _, check = name.partition(".")
        if not reason or op not in OPERATORS or (check and check not in _CHECKS):
            raise ValueError(
                f"{path.name}, line {number}: expected 'operator: reason' or "
                f"'operator.check: reason' with an operator and check that exist, got {line!r}"
            )
        found[name] = reason
    return found


def _marks(gaps: dict[str, str], op: str, check: str) -> list[Any]:
    exact = gaps.get(f"{op}.{check}")
    if exact is not None:
        return [pytest.mark.xfail(reason=exact, strict=True)]
    whole = gaps.get(op)
    return [] if whole is None else [pytest.mark.xfail(reason=whole, strict=False)]
