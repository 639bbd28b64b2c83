"""Calls functions of SciPy or scikit-learn with arrays of numpy and with tensors; both must agree.

`python consumers.py scipy|sklearn` prints how many calls it compared. Run by `test_consumers.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import dispatch_core as dc

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5))
POSITIVE = np.abs(X) + 0.1
UNIT = np.clip(POSITIVE / 5, 0.05, 0.95)
TARGET = X @ np.arange(1.0, 6.0) + 0.1 * RNG.normal(size=60)
LABELS = (TARGET > 0).astype(np.int64)
GUESSES = (X[:, 4] > 0).astype(np.int64)

Call = tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def scipy_calls() -> list[Call]:
    from scipy import fft, integrate, ndimage, signal, special, stats
    from scipy.cluster import hierarchy, vq

    a, b, p, q = X[:, 0].copy(), X[:, 1].copy(), POSITIVE[:, 0].copy(), POSITIVE[:, 1].copy()
    calls: list[Call] = []

    def add(module: Any, names: str, *args: Any, **kwargs: Any) -> None:
        calls.extend((name, getattr(module, name), args, kwargs) for name in names.split())

    add(special, "erf erfc expit log_ndtr ndtr i0 i0e i1 i1e sinc", a)
    add(special, "logit gammaln ndtri entr", UNIT[:, 0].copy())
    add(special, "xlogy rel_entr gammainc gammaincc chdtr stdtr", p, q)
    add(special, "betainc", p, q, UNIT[:, 0].copy())
    add(special, "logsumexp softmax log_softmax", X, axis=1)
    add(fft, "fft ifft rfft hfft ihfft fftn ifftn rfftn fft2 dct idct dst dctn fftshift", X)
    add(fft, "irfft irfftn", X.astype(complex))
    add(stats, "zscore skew kurtosis moment describe sem tmean tstd tvar tmin tmax iqr rankdata", X)
    add(stats, "circmean circstd kurtosistest skewtest normaltest jarque_bera mode", X)
    add(stats, "gmean hmean variation entropy gstd", POSITIVE)
    add(stats, "ttest_1samp", X, 0.0)
    add(stats, "ttest_ind ttest_rel pearsonr f_oneway bartlett mannwhitneyu", a, b)
    add(stats, "quantile", X, 0.5, axis=0)
    add(vq, "whiten", X)
    add(vq, "vq kmeans", X, X[:3].copy())
    add(vq, "kmeans2", X, X[:3].copy(), minit="matrix")
    tree = hierarchy.linkage(X)
    add(hierarchy, "linkage", X)
    add(hierarchy, "fcluster", tree, 1.0)
    add(hierarchy, "inconsistent cophenet maxdists is_valid_linkage", tree)
    add(signal, "detrend", X, axis=0)
    add(signal, "fftconvolve", a, b)
    add(signal, "hilbert", a)
    add(ndimage, "gaussian_filter", X, 1.0)
    add(integrate, "trapezoid simpson cumulative_simpson", a)
    return calls


def sklearn_calls() -> list[Call]:
    from sklearn import decomposition, discriminant_analysis, linear_model, metrics, preprocessing
    from sklearn.metrics import pairwise

    calls: list[Call] = []

    def fitted(make: Callable[[], Any], method: str) -> Callable[..., Any]:
        def run(x: Any, *y: Any) -> Any:
            if method.startswith("fit_"):
                return getattr(make(), method)(x, *y)
            return getattr(make().fit(x, *y), method)(x)

        return run

    scalers = "StandardScaler MinMaxScaler MaxAbsScaler Normalizer Binarizer PolynomialFeatures"
    calls += [
        (name, fitted(getattr(preprocessing, name), "fit_transform"), (X,), {})
        for name in scalers.split()
    ]
    for solver in ("full", "covariance_eigh"):

        def pca(solver: str = solver) -> Any:
            return decomposition.PCA(3, svd_solver=solver)

        calls.append((f"PCA {solver}", _unsigned(fitted(pca, "fit_transform")), (X,), {}))
    calls += [
        ("Ridge", fitted(lambda: linear_model.Ridge(solver="svd"), "predict"), (X, TARGET), {}),
        ("RidgeCV", fitted(linear_model.RidgeCV, "predict"), (X, TARGET), {}),
        (
            "LinearDiscriminantAnalysis",
            fitted(discriminant_analysis.LinearDiscriminantAnalysis, "predict"),
            (X, LABELS),
            {},
        ),
    ]
    regression = (
        "r2_score mean_absolute_error mean_squared_error max_error explained_variance_score"
    )
    for name in regression.split():
        calls.append((name, getattr(metrics, name), (TARGET, TARGET + 0.1 * X[:, 0]), {}))
    classes = "accuracy_score f1_score precision_score recall_score balanced_accuracy_score"
    for name in (classes + " confusion_matrix hamming_loss zero_one_loss jaccard_score").split():
        calls.append((name, getattr(metrics, name), (LABELS, GUESSES), {}))
    calls.append(("log_loss", metrics.log_loss, (LABELS, UNIT[:, 0].copy()), {}))
    kernels = "euclidean_distances cosine_similarity linear_kernel rbf_kernel polynomial_kernel"
    for name in kernels.split():
        calls.append((name, getattr(pairwise, name), (X, X + 1), {}))
    return calls


def _unsigned(function: Callable[..., Any]) -> Callable[..., Any]:
    """Singular vectors are known up to their sign."""
    return lambda *args: abs(function(*args))


def compare(wanted: Any, found: Any) -> None:
    """Fail unless two results are equal, and tensors stand where arrays stood."""
    if hasattr(wanted, "statistic") and hasattr(wanted, "pvalue"):
        wanted, found = (wanted.statistic, wanted.pvalue), (found.statistic, found.pvalue)
    if isinstance(wanted, (tuple, list)):
        for one, other in zip(wanted, found, strict=True):
            compare(one, other)
        return
    if isinstance(wanted, np.ndarray) and wanted.ndim:
        assert isinstance(found, dc.Tensor), f"{type(found)} instead of a tensor"
    np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), rtol=1e-7, atol=1e-7)


def main(group: str) -> int:
    """Compare all calls of a group; the number of those."""
    if group == "sklearn":
        import sklearn

        sklearn.set_config(array_api_dispatch=True)
    calls = scipy_calls() if group == "scipy" else sklearn_calls()
    failed = []
    for name, function, args, kwargs in calls:
        tensors = [dc.tensor(x) if isinstance(x, np.ndarray) else x for x in args]
        try:
            compare(function(*args, **kwargs), function(*tensors, **kwargs))
        except Exception as error:  # noqa: BLE001  any failure is reported by name
            failed.append(f"{name}: {type(error).__name__}: {error}")
    if failed:
        sys.exit("\n".join(failed))
    return len(calls)


if __name__ == "__main__":
    sys.stdout.write(str(main(sys.argv[1])))
