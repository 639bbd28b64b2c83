"""An approximate softmax over many classes of which few are frequent (Grave et al., 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from dispatch_core.nn._core import F, Tensor, cat, zeros
from dispatch_core.nn.modules._sizes import factory
from dispatch_core.nn.modules.container import ModuleList, Sequential
from dispatch_core.nn.modules.linear import Linear
from dispatch_core.nn.modules.module import Module


class _ASMoutput(NamedTuple):
    """What `AdaptiveLogSoftmaxWithLoss` returns: the targets' log-probabilities, and their loss."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log-probability of each target class and its mean loss, with classes in clusters.

    Classes are sorted by falling frequency. The first `cutoffs[0]` are in the head, which also has
    one entry for each further cluster; cluster i, up to the next cutoff, projects the
    input to `in_features // div_value^(i + 1)` features first. Input (N, in_features) or
    (in_features), target (N) or (). ValueError for cutoffs that do not rise from 1 to below `n_classes`.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kwargs = factory(device, dtype)
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*_checked(list(cutoffs), n_classes), n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **kwargs)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(self._clusters()):
            hidden = int(in_features // div_value ** (i + 1))
            first = Linear(in_features, hidden, bias=False, **kwargs)
            second = Linear(hidden, high - low, bias=False, **kwargs)
            self.tail.append(Sequential(first, second))

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for projection in self.tail:
            for layer in projection.children():
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """(output, loss): the targets' log-probabilities (N) or (), and minus their mean.

        RuntimeError where input and target do not fit, or for targets that are no class.
        """
        _check_target(input_, target_)
        input = input_ if target_.dim() else input_.unsqueeze(0)
        target = target_ if target_.dim() else target_.unsqueeze(0)
        if not bool((target.ge(0) & target.lt(self.n_classes)).all()):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{int(target.min())}, {int(target.max())}] were found."
            )
        head = F.log_softmax(self.head(input), 1)
        places = target
        output = zeros(target.shape[0], device=head.device, dtype=head.dtype)
        for i, (low, high) in enumerate(self._clusters()):
            inside = target.ge(low) & target.lt(high)
            rows = inside.nonzero().squeeze(1)
            if not rows.numel():
                continue
            places = places.masked_fill(inside, self.shortlist_size + i)
            found = F.log_softmax(self.tail[i](input[rows]), 1)
            chosen = found.gather(1, (target[rows] - low).unsqueeze(1)).squeeze(1)
            output = output.index_copy(0, rows, chosen)
        output = output + head.gather(1, places.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if target_.dim() else output.squeeze(0), loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities (N, n_classes) of all classes for (N, in_features)."""
        return self._all_classes(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each row: the same as `log_prob(input).argmax(1)`, but faster."""
        head = self.head(input)
        classes = head.argmax(1)
        rows = (classes >= self.shortlist_size).nonzero().squeeze(1)
        if not rows.numel():
            return classes
        exact = self._all_classes(input[rows], head[rows]).argmax(1)
        return classes.index_copy(0, rows, exact)

    def _all_classes(self, input: Tensor, scores: Tensor) -> Tensor:
        head = F.log_softmax(scores, 1)
        first = self.shortlist_size
        parts = [head[:, :first]]
        for i, projection in enumerate(self.tail):
            cluster = F.log_softmax(projection(input), 1)
            parts.append(cluster + head[:, first + i].unsqueeze(1))
        return cat(parts, 1)

    def _clusters(self) -> list[tuple[int, int]]:
        """The first class of each cluster of the tail, and the first beyond it."""
        return list(pairwise(self.cutoffs))


def _checked(cutoffs: list[int], n_classes: int) -> list[int]:
    if not cutoffs:
        raise ValueError("cutoffs should be a sequence of length larger than 0")
    rising = all(a < b for a, b in pairwise(cutoffs))
    whole = all(int(c) == c for c in cutoffs)
    if not (rising and whole and cutoffs[0] > 0 and cutoffs[-1] <= n_classes - 1):
        raise ValueError(
            "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
            f"order, where each value is between 1 and n_classes-1, got {cutoffs} for "
            f"{n_classes} classes"
        )
    return cutoffs


def _check_target(input: Tensor, target: Tensor) -> None:
    if target.dim() > 1:
        raise RuntimeError(
            "0D or 1D target tensor expected, multi-target not supported, got "
            f"{target.dim()} dimensions"
        )
    if target.dim() == 1 and input.shape[:1] != target.shape:
        raise RuntimeError(
            "Input and target should have the same size in the batch dimension, got "
            f"{tuple(input.shape)} and {tuple(target.shape)}."
        )
    if input.dim() != target.dim() + 1:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found "
            f"inputs with size {tuple(input.shape)}"
        )
