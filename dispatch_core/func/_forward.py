"""`jvp` and `jacfwd`: derivatives of functions in forward mode."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dispatch_core._dispatcher.captured import transforming
from dispatch_core._dual import LEVELS
from dispatch_core._op import K
from dispatch_core._random import get_rng_state, set_rng_state
from dispatch_core._tensor import Tensor
from dispatch_core._tree import flatten, unflatten
from dispatch_core.autograd.forward_ad import (
    _set_fwd_grad_enabled,
    dual_level,
    make_dual,
    unpack_dual,
)

_WHERE = "jvp(f, primals, tangents)"


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """`func(*primals)` and its directional derivative along `tangents`, in forward mode.

    Primals, tangents and results may be nested tuples, lists and dicts of tensors. Returns (output,
    tangent), with `has_aux` (output, tangent, aux) for a `func` that returns (output, aux). An output
    that does not depend on the primals has a tangent of zeros; with `strict` it is an error.

    Raises RuntimeError when the structures or shapes of primals and tangents differ, or something
    else than tensors is among primals or outputs.
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{_WHERE}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    values, structure = flatten(primals)
    changes, structure_of_changes = flatten(tangents)
    if structure != structure_of_changes:
        raise RuntimeError(
            f"{_WHERE}: Expected primals and tangents to have the same python structure. For example, "
            "if primals is a tuple of 3 tensors, tangents also must be. Got primals with structure "
            f"{structure} and tangents with structure {structure_of_changes}"
        )
    _check_tensors(values, "primals")
    _check_tensors(changes, "tangents")
    with _set_fwd_grad_enabled(True), dual_level():
        duals = [make_dual(p, t) for p, t in zip(values, changes, strict=True)]
        with transforming(func, LEVELS.get()[-1]):
            result = func(*unflatten(structure, duals))
        aux = None
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(
                    f"{_WHERE}: output of function f should be a tuple: (output, aux) if has_aux is "
                    "True"
                )
            result, aux = result
            leaves, structure = flatten(aux)
            aux = unflatten(structure, [_primal(leaf) for leaf in leaves])
        leaves, structure = flatten(result)
        if not leaves:
            raise RuntimeError(f"{_WHERE}: Expected f to return at least one Tensor, got {result}")
        pairs = [_unpacked(leaf, strict) for leaf in leaves]
    output, tangent = (unflatten(structure, part) for part in zip(*pairs, strict=True))
    return (output, tangent, aux) if has_aux else (output, tangent)


def _check_tensors(values: Sequence[Any], name: str) -> None:
    if not values:
        raise RuntimeError(f"{_WHERE}: Expected {name} to contain at least one Tensor.")
    for value in values:
        if not isinstance(value, Tensor):
            raise RuntimeError(
                f"{_WHERE}: Expected {name} to only contain Tensors, got {type(value)}"
            )


def _primal(value: Any) -> Any:
    return unpack_dual(value).primal if isinstance(value, Tensor) else value


def _unpacked(value: Any, strict: bool) -> tuple[Tensor, Tensor]:
    if not isinstance(value, Tensor):
        raise RuntimeError(
            f"{_WHERE}: expected f(*primals) to return only tensors, got unsupported type {type(value)}"
        )
    primal, tangent = unpack_dual(value)
    if tangent is None:
        if strict:
            raise RuntimeError(
                "jvp(f, primals, tangents, strict=True): The output of f is independent of the "
                "inputs. This is not allowed with strict=True."
            )
        tangent = K.zeros_like(primal)
    return primal, tangent


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """A function that computes the Jacobian of `func` in forward mode, a `jvp` for each input element.

    For each output it has one tensor for each differentiated input, of shape output.shape +
    input.shape, nested as the outputs are and within as the inputs are. `argnums` says which
    arguments: a number, or a tuple of them for a tuple of Jacobians. With `has_aux`, `func` returns
    (output, aux), and the result is (Jacobian, aux). `randomness` says whether a `func` that draws
    random numbers is an "error", or draws "same" or "different" numbers for each element.

    Raises RuntimeError for wrong `argnums` or `randomness`, and for complex inputs or outputs.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. "
            f"Got {randomness}"
        )

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        chosen = _chosen(argnums, len(args))
        values, structure = flatten(tuple(args[i] for i in chosen))
        _check_tensors(values, "primals")
        _check_real(values, "inputs")

        def of_chosen(*inner: Any) -> Any:
            full = list(args)
            for i, value in zip(chosen, inner, strict=True):
                full[i] = value
            return func(*full)

        before = get_rng_state()
        primals = unflatten(structure, values)
        zeros = [K.zeros_like(x) for x in values]
        by_input = []
        for at, x in enumerate(values):
            columns = []
            for unit in _units(x):
                if randomness == "same":
                    set_rng_state(before)
                along = unflatten(structure, [*zeros[:at], unit, *zeros[at + 1 :]])
                output, tangent, *aux = jvp(of_chosen, primals, along, has_aux=has_aux)
                if randomness == "error" and not K.equal(get_rng_state(), before):
                    raise RuntimeError(
                        "jacfwd: the function draws random numbers; say with randomness='same' or "
                        "'different' whether it is to draw the same for each element of the inputs"
                    )
                found, output_structure = flatten(tangent)
                _check_real(flatten(output)[0], "outputs")
                columns.append(found)
            by_input.append([_joined(parts, x) for parts in zip(*columns, strict=True)])
        of_inputs = structure if isinstance(argnums, tuple) else structure.parts[0]
        blocks = [unflatten(of_inputs, row) for row in zip(*by_input, strict=True)]
        result = unflatten(output_structure, blocks)
        return (result, *aux) if has_aux else result

    return jacobian


def _units(x: Tensor) -> Iterator[Tensor]:
    """The unit vectors in the shape of a tensor; for one without elements, itself."""
    n = x.numel()
    if not n:
        yield K.zeros_like(x)
        return
    for row in K.eye(n, dtype=x.dtype, device=x.device):
        yield K.reshape(row, tuple(x.shape))


def _joined(columns: Sequence[Tensor], x: Tensor) -> Tensor:
    """The derivatives with respect to the elements of `x` as one tensor."""
    shape = (*columns[0].shape, *x.shape)
    if not x.numel():
        return K.new_zeros(columns[0], shape)
    return K.reshape(K.stack(columns, -1), shape)


def _chosen(argnums: Any, count: int) -> tuple[int, ...]:
    """The arguments to differentiate, as numbers from 0."""
    asked = argnums if isinstance(argnums, tuple) else (argnums,)
    if not all(isinstance(i, int) for i in asked):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if not asked:
        raise RuntimeError("argnums must be non-empty")
    for i in asked:
        if not -count <= i < count:
            raise RuntimeError(f"Got argnum={i}, but only {count} positional inputs")
    chosen = tuple(i % count for i in asked)
    if len(set(chosen)) != len(chosen):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return chosen


def _check_real(tensors: Sequence[Tensor], what: str) -> None:
    for i, t in enumerate(tensors):
        if t.is_complex():
            raise RuntimeError(
                f"jacfwd: Expected all {what} to be real but received complex tensor at flattened "
                f"input idx: {i}"
            )
