"""Complex numbers: their parts as views, and making them from parts.

Gradients follow PyTorch's convention: the gradient of a real loss by a complex number z = a + bi is
dL/da + i dL/db, the conjugate of the Wirtinger derivative times two.
"""

from __future__ import annotations

import math
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dtypes import dtype
from dispatch_core._families.base import COMPLEX, FLOATING, INEXACT
from dispatch_core._families.others import Movement, custom, movement
from dispatch_core._families.pointwise import BOOL, FLOAT_REAL, SAME, pointwise
from dispatch_core._namespaces import public
from dispatch_core._op import K, composite, primitive
from dispatch_core._tensor import Tensor, check_tensor


def _whole(make: Any, samples: list[Any]) -> list[Any]:
    """No samples of half precision, which has no complex counterpart."""
    return [] if make.dtype.itemsize == 2 else samples


class _Parts(Movement):
    """Views of complex numbers as pairs of real ones, and back."""

    def result(self, op: Any, computed: dtype) -> dtype | None:
        return computed.to_real() if computed.is_complex else computed.to_complex()


def _complex_samples(make: Any) -> list[Any]:
    x = make(3, 4)
    return [(x,), (make(),), (make(0, 2),)] if x.is_complex() else []


@primitive(
    _Parts(COMPLEX, samples=_complex_samples),
    grad={"input": lambda K, g: K.view_as_complex(K.contiguous(g))},
    view=True,
)
def view_as_real(input: Tensor) -> Tensor:
    """Real and imaginary parts along a new last dimension of size 2; a view."""


@primitive(
    _Parts(FLOATING, samples=lambda make: _whole(make, [(make(3, 2),), (make(2),)])),
    grad={"input": lambda K, g: K.view_as_real(K.contiguous(g))},
    view=True,
)
def view_as_complex(input: Tensor) -> Tensor:
    """Complex numbers of the pairs along the last dimension, which must lie together; a view."""


@composite(movement(real=True, samples=lambda make: [(make(3, 4),), (make(),)]), method=False)
def real(input: Tensor) -> Tensor:
    """The real part, a view; a real tensor itself."""
    return K.basic_index(K.view_as_real(input), (Ellipsis, 0)) if input.is_complex() else input


@composite(movement(accepts=COMPLEX, real=True, samples=_complex_samples), method=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary part, a view; RuntimeError for a real tensor."""
    return K.basic_index(K.view_as_real(input), (Ellipsis, 1))


@composite(
    custom(
        FLOATING,
        halves=False,
        samples=lambda make: _whole(make, [(make(3, 4), make(3, 4)), (make(), make(2))]),
    ),
    method=False,
    out=True,
)
def complex(real: Tensor, imag: Tensor) -> Tensor:
    """Complex numbers of real and imaginary parts of one dtype."""
    for part in (real, imag):
        if part.dtype.name not in ("float32", "float64") or part.dtype is not real.dtype:
            raise RuntimeError(
                "Expected both inputs to be Float or Double tensors of one dtype but got "
                f"{real.dtype.name} and {imag.dtype.name}"
            )
    if real.shape != imag.shape:
        real, imag = K.broadcast_pair(real, imag)
    return K.view_as_complex(K.stack((real, imag), -1))


@composite(pointwise(SAME, inplace=False), namespace="_", outputs=2)
def broadcast_pair(input: Tensor, other: Tensor) -> Any:
    """Two tensors expanded to a common shape."""
    shape = K.add(K.zeros_like(input), K.zeros_like(other)).shape
    return K.expand(input, shape), K.expand(other, shape)


@composite(
    custom(
        FLOATING,
        halves=False,
        samples=lambda make: _whole(
            make,
            [
                (make(3, 4, low=0, high=2), make(3, 4)),
                (make(low=0, high=2), make(2)),
            ],
        ),
    ),
    method=False,
    out=True,
)
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """Complex numbers of absolute values and angles in radians."""
    if abs.dtype is not angle.dtype:
        raise RuntimeError(
            f"polar(): expected tensors of one dtype, but got {abs.dtype} and {angle.dtype}"
        )
    return K.complex(K.mul(abs, K.cos(angle)), K.mul(abs, K.sin(angle)))


@composite(custom(INEXACT, samples=lambda make: [(make(3), make(3))]), namespace="_", method=False)
def angle_backward(grad: Tensor, input: Tensor) -> Tensor:
    """i x / |x|^2: only turning changes an angle, so those of real numbers, and of 0, are constant."""
    if not input.is_complex():
        return K.zeros_like(grad)
    slope = K.div(K.mul(input, 1j), K.square(K.abs(input)))
    return K.where(K.eq(input, 0), 0.0, K.mul(grad, slope))


@composite(
    pointwise(FLOAT_REAL, inplace=False, samples=lambda make: [(make(3, 4),), (make(),)]),
    grad={"input": lambda K, g, input: K.angle_backward(g, input)},
    out=True,
)
def angle(input: Tensor) -> Tensor:
    """The angle of each complex number in radians; for real ones 0 or, where negative, pi."""
    if input.is_complex():
        return K.atan2(K.imag(input), K.real(input))
    x = input if input.is_floating_point() else K.div(input, 1)
    flat = K.where(K.lt(x, 0), K.full_like(x, math.pi), 0.0)
    return K.where(K.ne(x, x), x, flat)


@composite(pointwise(BOOL, inplace=False), grad=NOT_DIFFERENTIABLE)
def isreal(input: Tensor) -> Tensor:
    """Whether the imaginary part is zero."""
    return K.eq(K.imag(input), 0) if input.is_complex() else K.eq(K.zeros_like(input), 0)


@public("", "Tensor")
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugation is never put off here."""
    return check_tensor(input, "resolve_conj(): argument 'input'")


@public("", "Tensor")
def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negation is never put off here."""
    return check_tensor(input, "resolve_neg(): argument 'input'")


@public("", "Tensor")
def is_conj(input: Tensor) -> bool:
    """Whether a conjugation is still to be done: never."""
    return False


@public("", "Tensor")
def is_neg(input: Tensor) -> bool:
    """Whether a negation is still to be done: never."""
    return False


@public("", "Tensor")
def adjoint(input: Tensor) -> Tensor:
    """The conjugate of the tensor with its last two dimensions exchanged."""
    return K.conj(K.transpose(input, -2, -1))
