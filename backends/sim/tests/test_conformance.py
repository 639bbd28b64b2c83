"""Every operator of the core on a simulated device that is not the first; a few of each kind by default."""

import pytest

from dispatch_core.testing import conformance


@pytest.mark.slow
class TestSim(conformance.Suite):
    device = "sim:1"


class TestSimBriefly(conformance.Suite):
    device = "sim:1"
    operators = (
        *("add", "exp", "where", "pow", "cast", "clamp"),
        *("sum", "var", "cumsum", "argmax", "sort", "softmax"),
        *("matmul", "conv2d", "linear", "max_pool2d", "batch_norm", "cross_entropy"),
        *("reshape", "expand", "basic_index", "as_strided", "cat", "unfold_windows"),
        *("gather", "scatter_add", "index_put", "embedding"),
        *("full_like", "dropout", "linalg_solve"),
    )
