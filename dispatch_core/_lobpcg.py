"""`lobpcg`: some extreme eigenpairs of a large symmetric matrix, from products with it alone.

A. V. Knyazev, Toward the optimal preconditioned eigensolver: locally optimal block preconditioned
conjugate gradient method, SIAM J. Sci. Comput. 23 (2001). In every step the best combinations (Rayleigh
and Ritz's) are sought of three blocks: the vectors X so far, the preconditioned residuals W, and the
directions P in which the last step went. The method "ortho" makes W and P orthonormal before, by

A. Stathopoulos, K. Wu, A block orthogonalization procedure with constant synchronization requirements,
SIAM J. Sci. Comput. 23 (2002),

which is what keeps the small problem well posed when residuals become tiny.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._dtypes import finfo
from dispatch_core._op import K
from dispatch_core._tensor import Tensor, check_tensor
from dispatch_core.autograd import Function, no_grad, once_differentiable

_MOST_STEPS = 1000


class Search:
    """One matrix's search, and what a `tracker` may look at after each step.

    Attributes:
        E: the Ritz values (k).
        X: the Ritz vectors (m, n), orthonormal in B.
        R: the residuals A X - B X E (m, n).
        S: the vectors of which the last step combined X (m, up to 3n).
        iparams: "m", "n", "k", "niter".
        fparams: "tol".
        bparams: "largest".
        ivars: "istep", the steps done, and "converged_count".
        tvars: "rerr", the relative sizes of the residuals (n).
        bvars: set "force_stop" to True to end the search.

    """

    def __init__(
        self, A: Tensor, B: Tensor | None, X: Tensor, iK: Tensor | None, method: str, **params: Any
    ) -> None:
        self.A, self.B, self.iK, self.method = A, B, iK, method
        m, n = X.shape
        self.iparams = {"m": m, "n": n, "k": params["k"], "niter": params["niter"]}
        self.fparams = {"tol": params["tol"]}
        self.bparams = {"largest": params["largest"]}
        self.ivars = {"istep": 0, "converged_count": 0}
        self.bvars = {"force_stop": False}
        self.tvars: dict[str, Tensor] = {}
        # The sizes of A and B, from what they do to a random block.
        self._sizes = _size_of(A, X), 1.0 if B is None else _size_of(B, X)
        self.P: Tensor | None = None
        self.S = X
        self.X = X
        self._combine(self._orthonormal(X, None))

    @property
    def converged_count(self) -> int:
        """How many of the first pairs have residuals below the tolerance."""
        return self.ivars["converged_count"]

    def run(self, tracker: Callable[[Search], None] | None) -> tuple[Tensor, Tensor]:
        """Step until k pairs have converged, the steps are used up, or the tracker says so."""
        most = self.iparams["niter"]
        self._look(tracker)
        while (
            self.converged_count < self.iparams["k"]
            and (most < 0 or self.ivars["istep"] < most)
            and not self.bvars["force_stop"]
        ):
            self._step()
            self.ivars["istep"] += 1
            self._look(tracker)
        k = self.iparams["k"]
        return K.clone(self.E), K.clone(self.X[:, :k])

    def _look(self, tracker: Callable[[Search], None] | None) -> None:
        a, b = self._sizes
        scale = K.linalg_vector_norm(self.X, 2, 0) * (a + K.abs(self._values) * b)
        error = K.linalg_vector_norm(self.R, 2, 0)
        self.tvars["rerr"] = error = K.where(error > 0, error / scale, 0.0)
        good = (error <= self.fparams["tol"]).tolist()
        self.ivars["converged_count"] = next((i for i, ok in enumerate(good) if not ok), len(good))
        if tracker is not None:
            tracker(self)

    def _step(self) -> None:
        """The best combinations of vectors, residuals and the last directions."""
        W = self.R if self.iK is None else self.iK @ self.R
        if self.method == "ortho":
            new = self._orthonormal(W if self.P is None else K.cat([self.P, W], 1), self.X)
            self.bvars["force_stop"] |= not new.shape[1]  # there is nowhere to go
            self._combine(K.cat([self.X, new], 1))
            return
        blocks = [self.X, W] if self.P is None else [self.X, W, self.P]
        scaled = _unit(K.cat(blocks, 1))
        factor, info = K.linalg_cholesky_ex(_hermitian(scaled.mH @ self._weighed(scaled)))
        if int(info.item()):  # the blocks depend on each other: begin anew without directions
            self._combine(self._orthonormal(K.cat([self.X, W], 1), None))
            return
        self._combine(K.linalg_solve_triangular(factor, scaled.mH, upper=False).mH)

    def _combine(self, S: Tensor) -> None:
        """Take the Ritz pairs in the space that the columns of S, orthonormal in B, span."""
        n = self.iparams["n"]
        values, Z = K.linalg_eigh(_hermitian(S.mH @ (self.A @ S)))
        if self.bparams["largest"]:
            values, Z = K.flip(values, (0,)), K.flip(Z, (1,))
        Z = Z[:, :n]
        begun = S.shape[1] > n
        self.P = S[:, n:] @ Z[n:] if begun else None  # what of the new vectors is not of the old
        self.S, self.X = S, S @ Z
        self._values = values[:n]
        self.E = values[: self.iparams["k"]]
        self.R = self.A @ self.X - self._weighed(self.X) * self._values

    def _weighed(self, X: Tensor) -> Tensor:
        return X if self.B is None else self.B @ X

    def _orthonormal(self, U: Tensor, V: Tensor | None) -> Tensor:
        """A basis, orthonormal in B, of what the columns of U add to those of V (Stathopoulos and Wu)."""
        least = finfo(U.dtype).eps
        for _ in range(3):  # each pass makes up for what rounding spoiled in the one before
            if V is not None:
                U = U - V @ (V.mH @ self._weighed(U))
            U = _unit(U)
            if not U.shape[1]:
                return U
            values, Z = K.linalg_eigh(_hermitian(U.mH @ self._weighed(U)))
            kept = values > least * K.abs(values).max()
            U = U @ (Z[:, kept] / K.sqrt(values[kept]))
        return U


def _size_of(A: Tensor, X: Tensor) -> float:
    return float((K.linalg_vector_norm(A @ X) / K.linalg_vector_norm(X)).item())


def _unit(S: Tensor) -> Tensor:
    """The columns scaled to length 1; those of no length are left out."""
    length = K.linalg_vector_norm(S, 2, 0)
    return S[:, length > 0] / length[length > 0]


def _hermitian(gram: Tensor) -> Tensor:
    return (gram + gram.mH) / 2


class _Eigenpairs(Function):
    """The gradient of eigenpairs that were found anyhow: d e = x* dA x, d x = (e - A)^+ dA x."""

    @staticmethod
    def forward(ctx: Any, A: Tensor, find: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Any:
        E, X = find(A)
        ctx.save_for_backward(A, E, X)
        return E, X

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_values: Tensor, g_vectors: Tensor) -> Any:
        A, E, X = ctx.saved_tensors
        found = (X * g_values[..., None, :]) @ X.mH
        one = K.eye(A.shape[-1], dtype=A.dtype, device=A.device)
        for i in range(X.shape[-1]):
            x, g = X[..., i : i + 1], g_vectors[..., i : i + 1]
            along = x @ x.mH
            # Without the part along x, and with x taken out of what is to be inverted.
            shifted = E[..., i, None, None] * one - A + along
            found = found + K.linalg_solve(shifted, g - along @ g) @ x.mH
        return _hermitian(found), None


def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: Callable[[Search], None] | None = None,
    ortho_iparams: Any = None,
    ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) eigenvalues of symmetric matrices and their vectors, A x = e B x.

    Knyazev's locally optimal block preconditioned conjugate gradients (2001). For small matrices
    `linalg.eigh` is faster and finds all.

    Args:
        A: symmetric or Hermitian matrices (*, m, m), of a floating or complex dtype.
        k: how many pairs; None: as many as X has columns, else 1.
        B: symmetric positive definite matrices (*, m, m); None: the identity.
        X: vectors to begin with (*, m, n); None: random ones.
        n: how many vectors are searched with, at least k; None: as X has, else k.
        iK: preconditioners (*, m, m), near the inverses of A.
        niter: the most steps (None: 1000, negative: any number).
        tol: residuals relative to the matrices' sizes at which a pair has converged; None: the square
            root of the dtype's precision.
        largest: whether the largest (the default) or the smallest are sought.
        method: "ortho" (the default, robust) or "basic" (Knyazev's, cheaper steps).
        tracker: called with the `Search` before the first and after each step.
        ortho_iparams: accepted, as are the next two; the orthogonalisation has no parameters.
        ortho_fparams: accepted.
        ortho_bparams: accepted.

    Returns:
        E (*, k), sorted from the most extreme on, and X (*, m, k), orthonormal in B.

    Differentiable once with respect to A where B is None and eigenvalues are simple. Raises ValueError
    where m is less than 3n, k or n is out of range, or the method is unknown; AssertionError where A is not
    square; RuntimeError where the other shapes or dtypes do not fit it, or a gradient is asked for with B.

    """
    _check(A, B, X, iK)
    known = None if X is None else X.shape[-1]
    k = (known or 1) if k is None else k
    n = (known or k) if n is None else n
    m = A.shape[-1]
    if not 1 <= k <= n:
        raise ValueError(f"lobpcg(): k must be from 1 to n={n}, the number of vectors, got {k}")
    if m < 3 * n:
        raise ValueError(
            f"lobpcg(): the number of rows of A (={m}) must be at least 3 times the number of vectors "
            f"(n={n}); use linalg.eigh"
        )
    method = "ortho" if method is None else method
    if method not in ("ortho", "basic"):
        raise ValueError(f"lobpcg(): method must be 'ortho' or 'basic', got {method!r}")
    params = {
        "k": k,
        "niter": _MOST_STEPS if niter is None else niter,
        "tol": finfo(A.dtype).eps ** 0.5 if tol is None else tol,
        "largest": largest is None or largest,
    }
    start = K.randn((*A.shape[:-1], n), dtype=A.dtype, device=A.device) if X is None else X[..., :n]

    def find(matrices: Tensor) -> tuple[Tensor, Tensor]:
        with no_grad():
            rows = [_each(t, A.shape) for t in (matrices, B, start, iK)]
            found = [
                Search(a, b, x, i, method, **params).run(tracker)
                for a, b, x, i in zip(*rows, strict=True)
            ]
            values, vectors = (K.stack(list(each)) for each in zip(*found, strict=True))
            batch = A.shape[:-2]
            return K.reshape(values, (*batch, k)), K.reshape(vectors, (*batch, m, k))

    if B is None and A.requires_grad:
        return _Eigenpairs.apply(A, find)
    return find(A)


def _each(matrices: Tensor | None, shape: Any) -> list[Tensor | None]:
    """The matrices of a batch one by one; none as often as there are matrices of a shape."""
    if matrices is None:
        return [None] * len(_each(K.empty((*shape[:-2], 1, 1)), shape))
    return list(K.unbind(K.reshape(matrices, (-1, *matrices.shape[-2:])), 0))


def _check(A: Tensor, B: Tensor | None, X: Tensor | None, iK: Tensor | None) -> None:
    """Raise where the matrices do not go together."""
    check_tensor(A, "lobpcg(): argument 'A'")
    if A.ndim < 2 or A.shape[-1] != A.shape[-2] or not A.shape[-1]:
        raise AssertionError(f"lobpcg(): A must be square matrices (*, m, m), got {list(A.shape)}")
    if not (A.dtype.is_floating_point or A.dtype.is_complex):
        raise RuntimeError(f"lobpcg(): expected a floating or complex dtype, got {A.dtype}")
    for name, other in (("B", B), ("iK", iK), ("X", X)):
        if other is None:
            continue
        wanted = A.shape if name != "X" else (*A.shape[:-1], other.shape[-1])
        if tuple(other.shape) != tuple(wanted) or other.dtype is not A.dtype:
            raise RuntimeError(
                f"lobpcg(): {name} must be {A.dtype} of shape {list(wanted)} as A is, got {other.dtype} of "
                f"shape {list(other.shape)}"
            )
    if B is not None and (B.requires_grad or A.requires_grad):
        raise RuntimeError(
            "lobpcg(): the gradient of the generalised problem is not known here; call it with detached "
            "tensors, or leave out B"
        )
