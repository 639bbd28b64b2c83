"""Samples of convolution, pooling and resampling."""

from __future__ import annotations

from tests.oracle.calls import Call, Maker, call
from tests.oracle.samples.unary import Samples


def _conv(rank: int) -> Samples:
    size, kernel = (5, 6, 4)[:rank], (3, 2, 2)[:rank]

    def samples(m: Maker) -> list[Call]:
        return [
            call(m(2, 3, *size), m(4, 3, *kernel)),
            call(m(2, 3, *size), m(4, 3, *kernel), m(4), stride=2, padding=1),
            call(m(2, 4, *size), m(6, 2, *kernel), m(6), 1, (1,) * rank, 1, 2),
            call(m(3, *size), m(4, 3, *kernel), dilation=2, padding=2),
            call(m(2, 3, *size), m(4, 3, *kernel), padding="same"),
            call(m(2, 3, *size), m(4, 3, *kernel), padding="valid"),
            call(m(0, 3, *size), m(4, 3, *kernel)),
        ]

    return samples


def _conv_transpose(rank: int) -> Samples:
    size, kernel = (3, 4, 2)[:rank], (3, 2, 2)[:rank]

    def samples(m: Maker) -> list[Call]:
        return [
            call(m(2, 3, *size), m(3, 4, *kernel)),
            call(m(2, 3, *size), m(3, 4, *kernel), m(4), 2, 1, 1),
            call(m(2, 4, *size), m(4, 3, *kernel), groups=2, bias=m(6)),
            call(m(3, *size), m(3, 4, *kernel), dilation=2),
        ]

    return samples


def _unfold(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4, 5), 2),
        call(m(2, 3, 4, 5), (2, 3), padding=1, stride=2),
        call(m(3, 4, 5), kernel_size=2, dilation=2),
    ]


def _adaptive(rank: int, *, indices: bool) -> Samples:
    size = (5, 6, 4)[:rank]

    def samples(m: Maker) -> list[Call]:
        found = [
            call(m.distinct(2, 3, *size), 2),
            call(m.distinct(3, *size), (2, 3, 1)[:rank]),
            call(m.distinct(2, 3, *size), output_size=(3,) * rank),
        ]
        if rank > 1:
            found.append(call(m.distinct(2, 3, *size), (None, 2, 3)[:rank]))
        if indices:
            found.append(call(m.distinct(2, 3, *size), 2, return_indices=True))
        return found

    return samples


def _avg_pool(rank: int) -> Samples:
    size = (5, 6, 4)[:rank]

    def samples(m: Maker) -> list[Call]:
        return [
            call(m(2, 3, *size), 2),
            call(m(3, *size), (3, 2, 2)[:rank], 1, (1,) * rank),
            call(m(2, 3, *size), kernel_size=2, stride=2, padding=1, ceil_mode=True),
            call(m(2, 3, *size), 2, padding=1, count_include_pad=False),
            *([call(m(2, 3, *size), 2, divisor_override=3)] if rank > 1 else []),
        ]

    return samples


def _max_pool(rank: int) -> Samples:
    size = (5, 6, 4)[:rank]

    def samples(m: Maker) -> list[Call]:
        return [
            call(m.distinct(2, 3, *size), 2),
            call(m.distinct(3, *size), (3, 2, 2)[:rank], 1, (1,) * rank),
            call(m.distinct(2, 3, *size), kernel_size=2, stride=2, padding=1, ceil_mode=True),
            call(m.distinct(2, 3, *size), 2, dilation=2),
            call(m.distinct(2, 3, *size), 2, return_indices=True),
        ]

    return samples


def _fractional(rank: int) -> Samples:
    size = (6, 7, 5)[:rank]

    def samples(m: Maker) -> list[Call]:
        where = m(2, 3, rank, low=0, high=1)
        return [
            call(m.distinct(2, 3, *size), 2, output_size=3, _random_samples=where),
            call(
                m.distinct(2, 3, *size),
                (2, 3, 2)[:rank],
                output_ratio=(0.5,) * rank,
                _random_samples=where,
                return_indices=True,
            ),
        ]

    return samples


def _unpool(rank: int) -> Samples:
    size, pooled = (4, 6, 4)[:rank], (2, 3, 2)[:rank]

    def samples(m: Maker) -> list[Call]:
        count = 1
        for n in pooled:
            count *= n
        total = 1
        for n in size:
            total *= n
        places = m.of(
            [[m.random.permutation(total)[:count].reshape(pooled) for _ in range(3)] for _ in "ab"],
            "int64",
        )
        single = m.of(places.values[0], "int64")
        return [
            call(m(2, 3, *pooled), places, 2),
            call(m(2, 3, *pooled), places, (2,) * rank, 2, 0, size),
            call(m(3, *pooled), single, 2, output_size=size),
        ]

    return samples


def _grids(rank: int) -> Samples:
    size, out = (4, 5, 3)[:rank], (3, 2, 2)[:rank]

    def samples(m: Maker) -> list[Call]:
        grid = m(2, *out, rank, low=-1.3, high=1.3)
        return [
            call(m(2, 3, *size), grid, mode, pad, align)
            for mode in ((0, 1, 2) if rank == 2 else (0, 1))
            for pad in (0, 1, 2)
            for align in (False, True)
        ]

    return samples


def _grid_sample(m: Maker) -> list[Call]:
    grid = m(2, 3, 2, 2, low=-1.3, high=1.3)
    return [
        call(m(2, 3, 4, 5), grid),
        *(
            call(m(2, 3, 4, 5), grid, mode=mode, padding_mode=pad, align_corners=align)
            for mode in ("bilinear", "nearest", "bicubic")
            for pad, align in (("zeros", True), ("border", False), ("reflection", True))
        ),
        call(m(2, 3, 4, 5, 3), m(2, 2, 2, 2, 3, low=-1.2, high=1.2), align_corners=False),
    ]


def _interpolate(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4), 6),
        call(m(2, 3, 4, 5), scale_factor=2),
        call(m(2, 3, 4), size=7, mode="linear"),
        call(m(2, 3, 4, 5), (6, 3), mode="bilinear", align_corners=True),
        call(m(2, 3, 4, 5), scale_factor=(1.5, 0.6), mode="bilinear"),
        call(m(2, 3, 4, 5), (6, 3), mode="bicubic", align_corners=False),
        call(m(2, 3, 4, 5), (7, 8), mode="bicubic", align_corners=True),
        call(m(2, 3, 4, 5), (2, 3), mode="area"),
        call(m(2, 3, 4, 5), (6, 7), mode="nearest-exact"),
        call(m(2, 3, 3, 4, 2), size=(4, 3, 3), mode="trilinear"),
        call(m(2, 3, 8, 9), (3, 4), mode="bilinear", antialias=True),
        call(m(2, 3, 8, 9), (3, 4), mode="bicubic", antialias=True),
        call(m(2, 3, 4), scale_factor=1.7, mode="linear", recompute_scale_factor=True),
        call(m(2, 3, 4, 5, 3), scale_factor=0.5),
    ]


def _pad(m: Maker) -> list[Call]:
    return [
        call(m(2, 3), (1, 2)),
        call(m(2, 3, 4), [1, 0, 0, 2], value=1.5),
        call(m(2, 3, 4), (1, 2), "reflect"),
        call(m(2, 3, 4, 5), (1, 2, 0, 3), mode="replicate"),
        call(m(2, 3, 4, 5), (1, 2, 2, 1), mode="circular"),
        call(m(2, 3, 4, 5), (1, 2, 2, 1), mode="reflect"),
        call(m(3, 4), (1, 1), mode="replicate"),
        call(m(2, 2, 3, 4, 3), (1, 1, 1, 0, 2, 1), mode="replicate"),
        call(m(2, 2, 3, 4, 3), (1, 1, 1, 0, 2, 1), mode="reflect"),
        call(m(2, 3, 4), (-1, 1)),
    ]


def _upsample(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4, 5), size=(6, 8)),
        call(m(2, 3, 4, 5), scale_factor=2),
        call(m(2, 3, 4, 5), 7),
    ]


SAMPLES: dict[str, Samples] = {
    "unfold": _unfold,
    "grid_sample": _grid_sample,
    "interpolate": _interpolate,
    "pad": _pad,
    "channel_shuffle": lambda m: [
        call(m(2, 4, 3, 3), 2),
        call(m(1, 6, 2), 3),
        call(m(0, 4, 2, 2), 2),
    ],
    "pixel_shuffle": lambda m: [call(m(2, 8, 2, 3), 2), call(m(9, 2, 2), upscale_factor=3)],
    "pixel_unshuffle": lambda m: [call(m(2, 2, 4, 6), 2), call(m(1, 6, 3), downscale_factor=3)],
    "upsample_bilinear": _upsample,
    "upsample_nearest": _upsample,
}
for _rank in (1, 2, 3):
    SAMPLES |= {
        f"conv{_rank}d": _conv(_rank),
        f"conv_transpose{_rank}d": _conv_transpose(_rank),
        f"adaptive_avg_pool{_rank}d": _adaptive(_rank, indices=False),
        f"adaptive_max_pool{_rank}d": _adaptive(_rank, indices=True),
        f"avg_pool{_rank}d": _avg_pool(_rank),
        f"max_pool{_rank}d": _max_pool(_rank),
        f"max_unpool{_rank}d": _unpool(_rank),
    }
SAMPLES |= {f"fractional_max_pool{rank}d": _fractional(rank) for rank in (2, 3)}
SAMPLES = {f"nn.functional.{name}": samples for name, samples in SAMPLES.items()}
SAMPLES |= {f"grid_sampler_{rank}d": _grids(rank) for rank in (2, 3)}
