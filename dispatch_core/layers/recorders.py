"""Which chain records a call: the one for the shape of its arguments and the kernel below."""

from __future__ import annotations

from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.kernel_chains import (
    General,
    ListOne,
    ListParams,
    Ternary,
    Unary,
    UnaryBound,
    UnarySeveral,
    UnaryTwo,
)
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dispatcher.view_chains import (
    Reshape,
    ReshapeView,
    ViewOne,
    ViewSometimes,
    ViewTwo,
)
from dispatch_core.layers.recording import (
    Record,
    RecordBinary,
    RecordBound,
    RecordList,
    RecordListOne,
    RecordPlainUnary,
    RecordSeveral,
    RecordTernary,
    RecordTwo,
    RecordUnary,
)
from dispatch_core.layers.recording_views import RecordView, RecordViewSometimes, RecordViewTwo
from dispatch_core.layers.spec import OperatorSpec

_VIEWS: dict[type[Chain], type[RecordUnary]] = {
    ViewOne: RecordView,
    ViewSometimes: RecordViewSometimes,
    Reshape: RecordViewSometimes,
    ReshapeView: RecordViewSometimes,
    ViewTwo: RecordViewTwo,
}


def recording_class(op: Op, spec: OperatorSpec, inner: Chain) -> type[Record]:
    """The class for the shape of an operator's arguments, around the chain that computes it."""
    # Of a general kernel only the result itself tells whether its dtype has derivatives.
    simple = op.traits.outputs == 1 and not op.has_list and inner.__class__ is not General
    kinds = [p.kind for p in op.params]
    if spec.saves_layouts:
        return Record
    if simple and op.tensors == (0,) and kinds[0] is ParamKind.TENSOR:
        if inner.__class__ is UnaryBound:
            return RecordBound
        if inner.__class__ is Unary:
            return RecordPlainUnary
        if inner.__class__ is UnaryTwo:
            return RecordTwo
        if spec.keeps_arrays:
            return RecordUnary
        return _VIEWS.get(inner.__class__, RecordUnary)
    if simple and op.tensors == (0, 1) and len(kinds) == 2:
        return RecordBinary
    if inner.__class__ is Ternary:
        return RecordTernary
    if inner.__class__ is UnarySeveral and op.tensors == (0,):
        return RecordSeveral
    if isinstance(inner, ListParams) and not spec.keeps_arrays and spec.uniform:
        return RecordListOne if inner.__class__ is ListOne else RecordList
    return Record
