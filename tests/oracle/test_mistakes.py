"""Mistakes in making and calling what trains: refused as by PyTorch, with the same class of error.

Layers are those of `tests/nn/golden.json`, distributions those of `tests/distributions/cases.py`;
every argument is spoilt in turn, given or not, and every input of a layer.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import dispatch_core as dc
from tests.nn.test_layers import RECORDS, make_input
from tests.oracle.comparison import Difference, Outcome, attempt, same_errors
from tests.oracle.spoilt import spoilt

torch = pytest.importorskip("torch")

LAYERS = [record["case"] for record in RECORDS]
OPTIMIZERS = [
    "optim.Adadelta(params)",
    "optim.Adafactor(params)",
    "optim.Adagrad(params)",
    "optim.Adam(params)",
    "optim.AdamW(params)",
    "optim.Adamax(params)",
    "optim.ASGD(params)",
    "optim.LBFGS(params)",
    "optim.Muon(params)",
    "optim.NAdam(params)",
    "optim.RAdam(params)",
    "optim.RMSprop(params)",
    "optim.Rprop(params)",
    "optim.SGD(params, 0.1)",
    "optim.SGD(params, 0.1, 0.9, nesterov=True)",
    "optim.SparseAdam(params)",
]
SCHEDULERS = [
    "lr_scheduler.LambdaLR(optimizer, len)",
    "lr_scheduler.LambdaLR(optimizer, [half])",
    "lr_scheduler.MultiplicativeLR(optimizer, half)",
    "lr_scheduler.StepLR(optimizer, 3)",
    "lr_scheduler.MultiStepLR(optimizer, [2, 4])",
    "lr_scheduler.ConstantLR(optimizer)",
    "lr_scheduler.LinearLR(optimizer)",
    "lr_scheduler.ExponentialLR(optimizer, 0.9)",
    "lr_scheduler.PolynomialLR(optimizer)",
    "lr_scheduler.CosineAnnealingLR(optimizer, 5)",
    "lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 5)",
    "lr_scheduler.CyclicLR(optimizer, 0.1, 0.5, mode='triangular2')",
    "lr_scheduler.OneCycleLR(optimizer, 0.5, 10)",
    "lr_scheduler.OneCycleLR(optimizer, 0.5, epochs=2, steps_per_epoch=3, anneal_strategy='linear')",
    "lr_scheduler.ReduceLROnPlateau(optimizer)",
    "lr_scheduler.SequentialLR(optimizer, schedulers, [3])",
    "lr_scheduler.ChainedScheduler(schedulers)",
    "swa_utils.SWALR(optimizer, 0.05)",
    "swa_utils.AveragedModel(model)",
]
DATA = [
    "data.DataLoader(numbers)",
    "data.DataLoader(numbers, 2, True)",
    "data.DataLoader(numbers, batch_size=2, drop_last=True)",
    "data.DataLoader(numbers, sampler=data.SequentialSampler(numbers))",
    "data.DataLoader(numbers, batch_sampler=data.BatchSampler(numbers, 2, False))",
    "data.DataLoader(stream, batch_size=2)",
    "data.DataLoader(numbers, num_workers=1, prefetch_factor=3)",
    "data.SequentialSampler(numbers)",
    "data.RandomSampler(numbers)",
    "data.RandomSampler(numbers, True, 3)",
    "data.SubsetRandomSampler(numbers)",
    "data.WeightedRandomSampler([0.2, 0.8], 3)",
    "data.WeightedRandomSampler([0.2, 0.8], 2, False)",
    "data.BatchSampler(numbers, 2, False)",
    "data.distributed.DistributedSampler(numbers, 2, 1)",
    "data.random_split(numbers, [4, 2])",
    "data.random_split(numbers, [0.5, 0.5])",
    "data.Subset(numbers, [0, 2])",
    "data.TensorDataset(tensor([1, 2]), tensor([3, 4]))",
    "data.ConcatDataset([numbers, numbers])",
    "data.StackDataset(numbers, numbers)",
]
DISTRIBUTIONS = [
    "distributions.Bernoulli(tensor([0.2, 0.7]))",
    "distributions.Bernoulli(logits=tensor([0.2, -0.7]))",
    "distributions.Beta(tensor([0.5, 2.0]), 1.0)",
    "distributions.Binomial(5, tensor([0.2, 0.7]))",
    "distributions.Categorical(tensor([0.2, 0.3, 0.5]))",
    "distributions.Cauchy(0.0, 1.0)",
    "distributions.Chi2(tensor([0.7, 3.0]))",
    "distributions.ContinuousBernoulli(tensor([0.1, 0.8]))",
    "distributions.Dirichlet(tensor([0.5, 1.0, 3.0]))",
    "distributions.Exponential(1.5)",
    "distributions.FisherSnedecor(1.5, 3.0)",
    "distributions.Gamma(1.5, tensor([2.0, 1.0]))",
    "distributions.Geometric(tensor([0.2, 0.7]))",
    "distributions.Gumbel(0.0, 1.0)",
    "distributions.HalfCauchy(1.0)",
    "distributions.HalfNormal(1.0)",
    "distributions.Independent(distributions.Normal(tensor([0.0, 1.0]), 1.0), 1)",
    "distributions.InverseGamma(1.5, 2.0)",
    "distributions.Kumaraswamy(0.5, 1.5)",
    "distributions.Laplace(0.0, 1.0)",
    "distributions.LKJCholesky(3, 0.5)",
    "distributions.LogNormal(0.0, 1.0)",
    "distributions.LogisticNormal(tensor([0.0, 0.3]), tensor([1.0, 0.4]))",
    "distributions.LowRankMultivariateNormal(tensor([0.0, 1.0]), tensor([[1.0], [0.3]]), tensor([0.5, 1.0]))",
    "distributions.MixtureSameFamily(distributions.Categorical(tensor([0.3])), normal)",
    "distributions.Multinomial(4, tensor([0.2, 0.3, 0.5]))",
    "distributions.MultivariateNormal(tensor([0.0, 1.0]), tensor([[2.0, 0.5], [0.5, 1.0]]))",
    "distributions.MultivariateNormal(tensor([0.0, 1.0]), scale_tril=tensor([[2.0, 0.0], [0.5, 1.0]]))",
    "distributions.NegativeBinomial(3, tensor([0.2, 0.7]))",
    "distributions.Normal(0.0, tensor([1.0, 0.4]))",
    "distributions.OneHotCategorical(tensor([0.2, 0.3, 0.5]))",
    "distributions.Pareto(1.0, 2.0)",
    "distributions.Poisson(tensor([1.0, 4.0]))",
    "distributions.RelaxedBernoulli(tensor([0.7]), tensor([0.2, 0.7]))",
    "distributions.RelaxedOneHotCategorical(tensor([0.7]), tensor([0.2, 0.3, 0.5]))",
    "distributions.StudentT(3.0)",
    "distributions.Uniform(0.0, 1.0)",
    "distributions.VonMises(0.0, 1.0)",
    "distributions.Weibull(1.0, 2.0)",
    "distributions.Wishart(tensor([4.0]), tensor([[2.0, 0.5], [0.5, 1.0]]))",
    "distributions.TransformedDistribution(distributions.Normal(0.0, 1.0), [transforms.ExpTransform()])",
    "transforms.AffineTransform(0.0, 2.0)",
    "transforms.PowerTransform(tensor([2.0]))",
    "transforms.ComposeTransform([transforms.ExpTransform()])",
    "transforms.IndependentTransform(transforms.ExpTransform(), 1)",
    "transforms.ReshapeTransform((2, 3), (3, 2))",
    "transforms.CatTransform([transforms.ExpTransform(), transforms.ExpTransform()])",
    "transforms.StackTransform([transforms.ExpTransform(), transforms.ExpTransform()])",
    "constraints.interval(0.0, 1.0)",
    "constraints.independent(constraints.real, 1)",
]

TRIPS = (
    "unsupported operand|not supported between|values to unpack|index out of range|not callable"
    "|can only concatenate|has no len|not iterable|could not infer output|empty(): argument"
)
"""What Python says where PyTorch's own code trips over a mistake; ours may say it in another class."""
DIFFERENCES: dict[str, str] = {
    r"label_smoothing=-1.0": "PyTorch looks at the upper bound only",
    r"Adaptive\w+Pool\w+\(None": "None keeps the size, as it does within a tuple",
    r"Adaptive\w+Pool2d\('text'": "a name is no size; PyTorch counts its letters",
    r"Bilinear\(-": "the check for a positive size comes first",
    r"ConvTranspose\w+\(\d, 0": "a layer without outputs gives a tensor without channels",
    r"Conv.*input 0: last empty": "images without pixels are convolved with their padding",
    r"padding_mode='circular'.*padding=\(2, 1, 1\)": "the surplus padding is never asked for",
    r"Embedding\(0, 3\)": "no index is within a table without rows: IndexError",
    r"ConvTranspose2d.*dimensions? more": "the dimensions are looked at before the wanted size",
    r"LinearCrossEntropyLoss\(4, ('text'|2.5|None)": "PyTorch sees the wrong number of classes first",
    r"EmbeddingBag\(7, 0": "rows without elements have sums; PyTorch refuses them in some runs",
    r"EmbeddingBag.*last empty": "bags without elements are bags",
    r"FractionalMaxPool2d\((-|0)": "windows have at least one element, as in three dimensions",
    r"FractionalMaxPool.*(output_size=0|no examples|_random_samples)": "PyTorch does not look at them",
    r"GaussianNLLLoss.*(eps=None|input 2: integers)": "the lower bound is a number; variances may be ints",
    r"InstanceNorm.*(momentum|no examples)": "what is not needed is not asked for",
    r"BatchNorm2d.*momentum='text'": "what is not needed is not asked for",
    r"BatchNorm1d.*last empty": "the channels must fit the statistics, also where there are none",
    r"LPPool.*kernel|LPPool.*'text'": "a name is no size; PyTorch counts its letters",
    r"dropout=(None|-1.0)": "dropout is a number between 0 and 1, said when the layer is made or called",
    r"MaxUnpool.*(padding=2.5|\(0|'text'|1, 1, 2, 1)": "the kernel is looked at before the sizes",
    r"Transformer.*index 0 is out of range": "a stack may be without layers",
    r"Transformer.*input 0: complex": "the projection is looked at before the mask",
    r"Transformer.*_none_or_dtype": "what is no mask is a TypeError, as for a single layer",
    r"MultiheadAttention.*input 0: complex": "the projection is looked at before the mask",
    r"PoissonNLLLoss.*eps": "what is not needed is not asked for",
    r"Upsample.*(mode=(3|None)|recompute_scale_factor)": "a mode is a name",
    r"Upsample.*align_corners": "any object has a truth",
    r"(Loss|Tanhshrink)\(.*bools": "bools are promoted, or are no operand of a difference",
    r"(Huber|Poisson|Gaussian|SoftMargin|CosineEmbedding)\w*Loss.*complex": "complex losses have no order",
    r"CosineSimilarity.*complex": "computed by the absolute values",
    r"SoftMarginLoss.*output with shape": "input and target are broadcast",
    r"HingeEmbeddingLoss.*integers": "the margin is a float, and so is the loss",
    r"Pad.*no examples": "no examples give none",
    r"RMSNorm.*integers": "PyTorch finds no kernel, ours no epsilon",
    r"RNNBase\((3|None)": "an unknown mode is a ValueError, as another name is",
    r"WeightedRandomSampler\(\[0": "fewer weights than draws; PyTorch draws what has no weight",
    r"DistributedSampler.*process group": "without process groups both numbers have to be given",
    r"ContinuousBernoulli": "checked where PyTorch computes with NaN",
    r"LowRankMultivariateNormal.*-tensor": "checked where PyTorch computes with NaN",
    r"Multinomial\(0": "no draws are no counts",
    r"NegativeBinomial\(0": "gamma has no rate of 0",
    r"(Binomial|NegativeBinomial).*long": "probabilities 0 and 1 may be ints",
    r"Wishart.*AssertionError": "PyTorch asserts what is a ValueError for the normal distribution",
    r"LBFGS.*max_iter=2.5": "a number of steps is an int",
    r"ComposeTransform\((None|3)": "parts are a list",
    r"pct_start='text'|Muon.*eps=None": "text and None are no numbers: TypeError",
}
"""A pattern of a case, its mistake and what PyTorch says; and why they differ on purpose."""


def excused(name: str, ours: Outcome, theirs: Outcome) -> bool:
    """Whether a difference says nothing: what PyTorch has no kernel for, or trips over."""
    if theirs.error is None or ours.error is None:
        return "not implemented for" in f"{theirs.error} {ours.error}"
    said = str(theirs.error)
    if isinstance(theirs.error, AttributeError) or re.search(TRIPS, said):
        return isinstance(ours.error, (TypeError, ValueError, RuntimeError))
    # Of too few dimensions PyTorch misses some dimension, or says how many it wants.
    ranks = (IndexError, RuntimeError, ValueError)
    return "0-d" in name and all(isinstance(o.error, ranks) for o in (ours, theirs))


def compare(case: str, name: str, run: Callable[[ModuleType], Any]) -> None:
    found = []
    for library in (dc, torch):
        library.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(attempt(lambda library=library: run(library)))
    ours, theirs = found
    listed = any(re.search(pattern, f"{case} | {name} | {theirs}") for pattern in DIFFERENCES)
    if not (excused(name, ours, theirs) or listed):
        try:
            same_errors(ours, theirs)
        except Difference as difference:
            raise Difference(f"{name}: {difference}") from None


# -- layers ----------------------------------------------------------------------------------------

INPUTS: dict[str, Callable[[ModuleType, Any], Any]] = {
    "integers": lambda lib, x: x.to(lib.int64),
    "floats": lambda lib, x: x.to(lib.float32),
    "bools": lambda lib, x: x.to(lib.bool),
    "float64": lambda lib, x: x.to(lib.float64),
    "complex": lambda lib, x: x.to(lib.complex64),
    "one dimension more": lambda lib, x: x[None],
    "two dimensions more": lambda lib, x: x[None, None],
    "one dimension less": lambda lib, x: x[0],
    "0-d": lambda lib, x: x.reshape(-1)[0],
    "last longer": lambda lib, x: lib.cat([x, x[..., :1]], -1),
    "first longer": lambda lib, x: lib.cat([x, x[:1]], 0),
    "second longer": lambda lib, x: lib.cat([x, x[:, :1]], 1) if x.ndim > 1 else x,
    "no examples": lambda lib, x: x[:0],
    "last empty": lambda lib, x: x[..., :0],
    "None": lambda lib, x: None,
    "text": lambda lib, x: "text",
    "list": lambda lib, x: x.tolist(),
}


def layers(library: ModuleType) -> dict[str, Any]:
    return {**vars(library.nn), "tensor": library.tensor}


def mistakes(case: list[str]) -> Iterator[tuple[str, Callable[[ModuleType], Any]]]:
    expression, *texts = case
    training = "eval" not in texts
    texts = [text for text in texts if text != "eval"]

    def called(library: ModuleType, made: str, change: Callable[[list[Any]], list[Any]]) -> Any:
        layer = eval(made, layers(library)).train(training)
        inputs = [make_input(library, text, i) for i, text in enumerate(texts)]
        return layer(*change(inputs)) if texts else None

    for made in spoilt(expression, layers(torch)):
        yield made, lambda lib, made=made: called(lib, made, lambda x: x)
    for at, text in enumerate(texts):
        if text.startswith("="):
            continue
        for name, change in INPUTS.items():

            def spoil(lib: ModuleType, at: int = at, change: Any = change) -> Any:
                return called(
                    lib, expression, lambda x: [*x[:at], change(lib, x[at]), *x[at + 1 :]]
                )

            yield f"input {at}: {name}", spoil
    if texts:
        yield "an input less", lambda lib: called(lib, expression, lambda x: x[:-1])
        yield "an input more", lambda lib: called(lib, expression, lambda x: [*x, 1, 2, 3, 4, 5, 6])


@pytest.mark.parametrize("case", LAYERS, ids=" ".join)
def test_layers(case: list[str]) -> None:
    for name, run in mistakes(case):
        compare(" ".join(case), name, run)


# -- everything else -------------------------------------------------------------------------------


def half(step: int) -> float:
    """A multiplier."""
    return 0.5


def others(library: ModuleType) -> dict[str, Any]:
    class Stream(library.utils.data.IterableDataset):  # type: ignore[name-defined, misc]
        def __iter__(self) -> Iterator[int]:
            return iter(range(6))

    model = library.nn.Linear(3, 2)
    params = [library.nn.Parameter(library.ones(3, 2))]
    optimizer = library.optim.SGD(params, 0.1)
    schedule = library.optim.lr_scheduler
    return {
        "optim": library.optim,
        "params": params,
        "model": model,
        "optimizer": optimizer,
        "lr_scheduler": schedule,
        "swa_utils": library.optim.swa_utils,
        "schedulers": [schedule.ConstantLR(optimizer), schedule.ExponentialLR(optimizer, 0.9)],
        "half": half,
        "data": library.utils.data,
        "numbers": list(range(6)),
        "stream": Stream(),
        "distributions": library.distributions,
        "normal": library.distributions.Normal(library.tensor([0.0]), 1.0),
        "transforms": library.distributions.transforms,
        "constraints": library.distributions.constraints,
        "tensor": library.tensor,
    }


def use(made: Any) -> None:
    """What a user does next, where a mistake shows that is not seen in the making."""
    if hasattr(made, "zero_grad") and hasattr(made, "param_groups"):
        for parameter in made.param_groups[0]["params"]:
            parameter.grad = parameter.detach() * 0 + 1
        made.step(lambda: 1.0)
    elif hasattr(made, "sample"):
        made.sample((2,))
    elif hasattr(made, "get_last_lr"):
        made.step(*[0.1] * (type(made).__name__ == "ReduceLROnPlateau"))
    elif hasattr(made, "__iter__") and getattr(made, "num_workers", 0) == 0:
        list(made)


@pytest.mark.parametrize("case", [*OPTIMIZERS, *SCHEDULERS, *DATA, *DISTRIBUTIONS])
def test_constructors(case: str) -> None:
    for made in spoilt(case, others(torch)):
        compare(case, made, lambda lib, made=made: use(eval(made, others(lib))))
