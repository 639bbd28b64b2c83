"""Samples of reductions and running reductions."""

from __future__ import annotations

from typing import Any

from tests.oracle.calls import Call, Maker, Named, call
from tests.oracle.samples.unary import Samples

FLOAT64 = Named("float64")


def _over(*, several: bool, all_of_it: bool = True, made: str = "__call__", **more: Any) -> Samples:
    """Over everything, one dimension (negative too), several where that may be, with keepdim."""

    def samples(m: Maker) -> list[Call]:
        make = getattr(m, made)
        found = [
            call(make(2, 3, 4), 1, **more),
            call(make(3, 4), dim=-1, keepdim=True, **more),
            call(make(3, 4), 0, True, **more),
            call(make(), 0, **more),
            call(make(2, 3).__class__(make(2, 3).values[:0], make(2, 3).dtype), 1, **more),
        ]
        if all_of_it:
            found += [call(make(3, 4), **more), call(make(), **more)]
        if several:
            found += [
                call(make(2, 3, 4), (0, 2), **more),
                call(make(2, 3, 4), dim=[-1, 0], keepdim=True, **more),
            ]
        return found

    return samples


def _wide(m: Maker) -> Named:
    return Named("complex128") if m.complex else FLOAT64


def _with_dtype(samples: Samples, *, several: bool = True) -> Samples:
    return lambda m: [
        *samples(m),
        call(m(3, 4), 0, dtype=_wide(m)),
        *([call(m(3, 4), dtype=_wide(m))] if several else []),
    ]


def _sums(m: Maker) -> list[Call]:
    return [
        *_with_dtype(_over(several=True))(m),
        call(m(0, 3)),
        call(m(0, 3), 0),
        call(m(3, 2), ()),
    ]


def _extremes(m: Maker) -> list[Call]:
    return [*_over(several=False, made="distinct")(m), call(m.distinct(3, 4), m(4))]


def _spread(m: Maker) -> list[Call]:
    return [
        call(m(3, 4)),
        call(m(2, 3, 4), 1),
        call(m(2, 3, 4), (0, 2)),
        call(m(3, 4), dim=-1, correction=0, keepdim=True),
        call(m(3, 4), unbiased=False),
        call(m(3, 4), 0, False),
        call(m(3, 4), 0, unbiased=True, keepdim=True),
        call(m(3, 4), correction=2),
        call(m(2, 3), dim=None, correction=0.5),
        call(m(1), 0),
        call(m(0, 3), 0),
    ]


def _arguments(m: Maker) -> list[Call]:
    return [
        call(m.distinct(3, 4)),
        call(m.distinct(3, 4), 0),
        call(m.distinct(2, 3, 4), dim=-2, keepdim=True),
        call(m.distinct()),
        call(m.of([[2, 1, 2], [1, 1, 2]]), 1),
    ]


def _quantile(m: Maker) -> list[Call]:
    q = m.of([0.1, 0.5, 0.9])
    return [
        call(m(3, 4), 0.3),
        call(m(3, 4), q),
        call(m(3, 4), q, 1),
        call(m(3, 4), 0.7, dim=0, keepdim=True),
        *(
            call(m(3, 5), q, dim=-1, interpolation=i)
            for i in ("lower", "higher", "midpoint", "nearest", "linear")
        ),
        call(m.of([1.0, float("nan"), 3.0]), 0.5),
    ]


def _norm(m: Maker) -> list[Call]:
    return [
        call(m(3, 4)),
        call(m(3, 4), 1),
        call(m(3, 4), float("inf"), 0),
        call(m(3, 4), p="fro", dim=(0, 1)),
        call(m(3, 4), "nuc"),
        call(m(3, 4), 3, dim=-1, keepdim=True),
        call(m(3, 4), 0, 1),
        call(m(2, 3), 2, dtype=_wide(m)),
    ]


def _truths(m: Maker) -> list[Call]:
    return [*_over(several=True)(m), call(m(0, 3)), call(m(0, 3), 0)]


def _counts(m: Maker) -> list[Call]:
    return [
        call(m.int(3, 4, low=-1, high=2)),
        call(m(3, 4)),
        call(m(3, 4), 1),
        call(m(2, 3, 4), dim=(0, -1)),
        call(m()),
        call(m(0, 2)),
    ]


def _covariance(m: Maker) -> list[Call]:
    return [
        call(m(3, 5)),
        call(m(5)),
        call(m(3, 5), correction=0),
        call(m(3, 5), fweights=m.int(5, low=1, high=4)),
        call(m(3, 5), aweights=m.positive(5) if not m.complex else m(5, dtype="float64", low=1)),
    ]


def _histogram(m: Maker) -> list[Call]:
    return [
        call(m(20), 4),
        call(m(4, 5), bins=5, range=(-1.0, 1.0)),
        call(m(20), 4, weight=m.positive(20)),
        call(m(20), 4, density=True),
        call(m(20), m.of([-2.0, -1.0, 0.5, 2.0])),
    ]


def _histogramdd(m: Maker) -> list[Call]:
    return [
        call(m(10, 2), [3, 4]),
        call(m(10, 2), bins=[2, 2], range=[-1.0, 1.0, -2.0, 2.0]),
        call(m(10, 3), 2),
        call(m(10, 2), [3, 2], weight=m.positive(10), density=True),
        call(m(10, 2), [m.of([-2.0, 0.0, 2.0]), m.of([-1.0, 0.5, 1.5])]),
    ]


def _trapezoid(m: Maker) -> list[Call]:
    return [
        call(m(3, 4)),
        call(m(3, 4), dx=2.0),
        call(m(3, 4), dim=0),
        call(m(3, 4), m(4)),
        call(m(3, 4), m(3), dim=0),
        call(m(3, 4), m(3, 4), dim=-1),
    ]


def _scan(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), 0),
        call(m(2, 3, 4), dim=-1),
        call(m(), 0),
        call(m(0, 3), 1),
        call(m(0, 3), 0),
    ]


def _diff(m: Maker) -> list[Call]:
    return [
        call(m(5)),
        call(m(3, 5), 2),
        call(m(3, 5), n=1, dim=0),
        call(m(3, 4), prepend=m(3, 1), append=m(3, 2)),
        call(m(3), n=4),
        call(m(2, 3), n=0),
    ]


def _gradient(m: Maker) -> list[Call]:
    return [
        call(m(5)),
        call(m(4, 5)),
        call(m(4, 5), dim=1),
        call(m(4, 5), spacing=2.0),
        call(m(4, 5), dim=(0, 1), spacing=(1.0, 0.5)),
        call(m(4, 5), spacing=(m.of([0, 1, 3, 4]), m.of([0, 1, 2, 4, 5]))),
        call(m(4, 5), dim=0, edge_order=2),
    ]


def _dist(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), m(3, 4)),
        call(m(3, 4), m(4), 1),
        call(m(3), m(3), p=float("inf")),
        call(m(3), m(3), p=0),
        call(m(3), m(3), 2.5),
    ]


def _close(m: Maker) -> list[Call]:
    a = m(3, 4)
    return [call(a, a), call(a, m(3, 4)), call(a, m(4), rtol=2.0, atol=5.0), call(a, a, 0.0, 0.0)]


def _vector_norm(m: Maker) -> list[Call]:
    wide = _wide(m)
    return [
        call(m(3, 4)),
        call(m(2, 3, 4), 1, dim=(0, -1)),
        call(m(3, 4), float("inf"), 0, True),
        call(m(3, 4), -float("inf"), 1),
        call(m(3, 4), 0, dim=-1),
        call(m(3, 4), ord=2.5, dim=1, keepdim=True),
        call(m(3, 4), dtype=wide),
        call(m()),
        call(m(0, 3), 2, dim=0),
    ]


def _matrix_norm(m: Maker) -> list[Call]:
    return [
        call(m(3, 4)),
        call(m(2, 3, 4), "nuc"),
        call(m(2, 3, 4), 1, dim=(0, 2)),
        call(m(2, 3, 4), -1),
        call(m(3, 4), float("inf"), (-1, -2), True),
        call(m(3, 4), 2),
        call(m(3, 4), -2, keepdim=True),
    ]


def _general_norm(m: Maker) -> list[Call]:
    return [
        call(m(3, 4)),
        call(m(5), 3),
        call(m(3, 4), "fro"),
        call(m(3, 4), 2),
        call(m(2, 3, 4), ord="nuc", dim=(1, 2)),
        call(m(3, 4), 1, dim=0),
        call(m(3, 4), dim=-1, keepdim=True),
        call(m(5), 0),
    ]


SAMPLES: dict[str, Samples] = {
    **dict.fromkeys(["sum", "nansum"], _sums),
    **dict.fromkeys(["mean", "nanmean"], _with_dtype(_over(several=True))),
    **dict.fromkeys(["std", "std_mean", "var", "var_mean"], _spread),
    **dict.fromkeys(["amax", "amin"], _over(several=True, made="distinct")),
    **dict.fromkeys(["all", "any"], _truths),
    **dict.fromkeys(["argmax", "argmin"], _arguments),
    **dict.fromkeys(["max", "min"], _extremes),
    **dict.fromkeys(["median", "nanmedian"], _over(several=False, made="distinct")),
    **dict.fromkeys(["quantile", "nanquantile"], _quantile),
    **dict.fromkeys(["trapezoid", "trapz", "cumulative_trapezoid"], _trapezoid),
    "prod": lambda m: [
        *_with_dtype(_over(several=False))(m),
        call(m.of([[0, 2, 3], [1, 2, 3]]), 1),
        call(m.of([0, 2, 0])),
        call(m.of([0, 2, 3])),
    ],
    "aminmax": lambda m: [
        call(m.distinct(3, 4)),
        call(m.distinct(3, 4), dim=0),
        call(m.distinct(2, 3, 4), dim=-1, keepdim=True),
        call(m.distinct()),
    ],
    "mode": lambda m: [
        call(m.of([[1, 2, 2], [0, 0, 3]])),
        call(m.of([[1, 2, 2], [1, 2, 3]]), 0),
        call(m.of([2, 1, 2]), dim=-1, keepdim=True),
    ],
    "logsumexp": lambda m: [
        call(m(3, 4), 1),
        call(m(2, 3, 4), (0, -1)),
        call(m(3, 4), dim=0, keepdim=True),
        call(m(), 0),
        call(m(0, 3), 0),
    ],
    "norm": _norm,
    "linalg.norm": _general_norm,
    "linalg.vector_norm": _vector_norm,
    "linalg.matrix_norm": _matrix_norm,
    "count_nonzero": _counts,
    "corrcoef": lambda m: [call(m(3, 5)), call(m(5))],
    "cov": _covariance,
    "dist": _dist,
    "equal": lambda m: [call(*[m(3, 4)] * 2), call(m(3, 4), m(3, 4)), call(m(3), m(4))],
    "allclose": _close,
    "Tensor.item": lambda m: [call(m()), call(m(1, 1))],
    "bincount": lambda m: [
        call(m(7, low=0, high=5)),
        call(m(7, low=0, high=5), m(7, dtype="float32")),
        call(m(7, low=0, high=5), minlength=9),
        call(m(0, low=0)),
    ],
    "hash_tensor": lambda m: [
        call(m(3, 4)),
        call(m(3, 4), 1),
        call(m(2, 3, 4), dim=(0, 2), keepdim=True),
    ],
    "histc": lambda m: [
        call(m(20)),
        call(m(20), 5),
        call(m(4, 5), bins=4, min=-1, max=1),
    ],
    "histogram": _histogram,
    "histogramdd": _histogramdd,
    "trace": lambda m: [call(m(3, 3)), call(m(2, 4)), call(m(4, 2))],
    **dict.fromkeys(["cummax", "cummin"], _scan),
    **dict.fromkeys(["cumsum"], _with_dtype(_scan, several=False)),
    "cumprod": lambda m: [
        *_with_dtype(_scan, several=False)(m),
        call(m.of([[1, 0, 3], [2, 0, 0]]), 1),
    ],
    "logcumsumexp": _scan,
    "diff": _diff,
    "gradient": _gradient,
    "renorm": lambda m: [call(m(3, 4), 2, 0, 1.0)],
}
del SAMPLES["renorm"]
for _name in ("softmax", "log_softmax"):
    SAMPLES[_name] = lambda m: [
        call(m(3, 4), 1),
        call(m(2, 3, 4), dim=-2),
        call(m(), 0),
        call(m(0, 3), 1),
        call(m(3, 4), 0, dtype=FLOAT64),
    ]
SAMPLES["nn.functional.softmin"] = SAMPLES["softmax"]
