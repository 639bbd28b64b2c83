"""Small parameters that are updated as one end where they would one by one."""

import copy
import io
import pickle

import pytest

import dispatch_core as dc
from dispatch_core.optim import _packs

SHAPES = [(3, 4), (4,), (100, 100), (), (5,), (0,)]
OPTIMIZERS = [
    (dc.optim.Adam, {}),
    (dc.optim.Adam, {"amsgrad": True, "weight_decay": 0.1}),
    (dc.optim.AdamW, {"maximize": True}),
    (dc.optim.NAdam, {}),
    (dc.optim.RAdam, {}),
    (dc.optim.Adamax, {}),
    (dc.optim.Adagrad, {"lr_decay": 0.1}),
    (dc.optim.Adadelta, {}),
    (dc.optim.RMSprop, {"momentum": 0.5, "centered": True}),
    (dc.optim.Rprop, {}),
    (dc.optim.ASGD, {}),
    (dc.optim.SGD, {"lr": 0.1}),
    (dc.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
]
PACKED = [entry for entry in OPTIMIZERS if entry[0] not in (dc.optim.NAdam, dc.optim.ASGD)]
PACKED = [entry for entry in PACKED if entry[1] != {"lr": 0.1}]


def make(kind, options, device="cpu", dtype=dc.float32):
    generator = dc.Generator().manual_seed(0)
    params = [
        dc.randn(shape, generator=generator).to(device, dtype).requires_grad_() for shape in SHAPES
    ]
    return params, kind(params, **options)


def train(params, optimizer, steps=5, between=lambda optimizer, step: None, without=()):
    generator = dc.Generator().manual_seed(1)
    for step in range(steps):
        for i, p in enumerate(params):
            grad = dc.randn(p.shape, generator=generator).to(p.device, p.dtype)
            p.grad = None if (step, i) in without else grad
        optimizer.step()
        between(optimizer, step)
    return [p.detach() for p in params]


def one_by_one(monkeypatch, kind, options, **how):
    with monkeypatch.context() as patch:
        patch.setattr(_packs, "SMALL", 0)
        return train(*make(kind, options, how.pop("device", "cpu")), **how)


def assert_same(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        assert dc.equal(a, b)


def sizes(optimizer):
    return [len(pack.params) for packs in optimizer._packs.values() for pack in packs._packs]


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
@pytest.mark.parametrize("device", ["cpu", "example"])
def test_the_same_values_as_one_by_one(monkeypatch, kind, options, device):
    wanted = one_by_one(monkeypatch, kind, options, device=device)
    params, optimizer = make(kind, options, device)
    assert_same(train(params, optimizer), wanted)
    assert sizes(optimizer) == ([5] if (kind, options) in PACKED else [])


@pytest.mark.parametrize(("kind", "options"), PACKED)
def test_parameters_without_a_gradient_are_left_alone(monkeypatch, kind, options):
    without = {(0, 4), (2, 0), (3, 0), (3, 1)}
    wanted = one_by_one(monkeypatch, kind, options, without=without)
    params, optimizer = make(kind, options)
    assert_same(train(params, optimizer, without=without), wanted)


def reload(optimizer, step):
    if step == 1:
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


def replace_state(optimizer, step):
    if step == 1:
        state = optimizer.state[optimizer.param_groups[0]["params"][0]]
        for name, value in state.items():
            state[name] = value.clone()


def replace_entry(optimizer, step):
    if step == 1:
        param = optimizer.param_groups[0]["params"][0]
        optimizer.state[param] = {k: v.clone() for k, v in optimizer.state[param].items()}


def forget(optimizer, step):
    if step == 1:
        optimizer.state.clear()


def restart_one(optimizer, step):
    if step == 1:
        state = optimizer.state[optimizer.param_groups[0]["params"][1]]
        for value in state.values():
            value.zero_()


def other_memory(optimizer, step):
    param = optimizer.param_groups[0]["params"][1]
    param.data = param.data * 2


def other_order(optimizer, step):
    optimizer.param_groups[0]["params"].reverse()


def body_instead(optimizer, step):
    optimizer.param_groups[0]["fused"] = False if step == 1 else None


@pytest.mark.parametrize(
    "change",
    [
        reload,
        replace_state,
        replace_entry,
        forget,
        restart_one,
        other_memory,
        other_order,
        body_instead,
    ],
)
@pytest.mark.parametrize(
    ("kind", "options"), [(dc.optim.Adam, {}), (dc.optim.SGD, {"lr": 0.1, "momentum": 0.9})]
)
def test_what_users_change_between_steps_counts(monkeypatch, kind, options, change):
    wanted = one_by_one(monkeypatch, kind, options, between=change)
    params, optimizer = make(kind, options)
    found = train(params, optimizer, between=change)
    for a, b in zip(found, wanted, strict=True):
        dc.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


def test_state_keeps_its_identity_and_shape():
    params, optimizer = make(dc.optim.Adam, {})
    train(params, optimizer, steps=1)
    before = [dict(optimizer.state[p]) for p in params]
    train(params, optimizer, steps=2)
    for p, old in zip(params, before, strict=True):
        assert list(old) == ["step", "exp_avg", "exp_avg_sq"]
        assert all(optimizer.state[p][name] is value for name, value in old.items())
        assert old["exp_avg"].shape == p.shape
        assert old["step"].shape == ()
        assert old["step"] == 3


def test_half_precision_is_widened_once():
    params, optimizer = make(dc.optim.Adam, {}, dtype=dc.bfloat16)
    other, wide = make(dc.optim.Adam, {})
    train(params, optimizer, steps=2)
    train(other, wide, steps=2)
    for p, q in zip(params, other, strict=True):
        dc.testing.assert_close(p.float(), q, rtol=0.05, atol=0.02)


@pytest.mark.parametrize("way", ["pickle", "deepcopy", "file"])
def test_copies_go_on_by_themselves(way):
    params, optimizer = make(dc.optim.Adam, {})
    train(params, optimizer, steps=2)
    if way == "file":
        file = io.BytesIO()
        dc.save(optimizer.state_dict(), file)
        file.seek(0)
        twins, twin = make(dc.optim.Adam, {})
        for mine, theirs in zip(twins, params, strict=True):
            mine.data = theirs.data.clone()
        twin.load_state_dict(dc.load(file))
    elif way == "pickle":
        twins, twin = pickle.loads(pickle.dumps((params, optimizer)))
    else:
        twins, twin = copy.deepcopy((params, optimizer))
    kept = [p.detach().clone() for p in params]
    moved = train(twins, twin, steps=2)
    assert sizes(twin) == [5]
    assert_same([p.detach() for p in params], kept)
    assert_same(train(params, optimizer, steps=2), moved)


def test_the_number_of_operator_calls_does_not_grow_with_the_number_of_parameters():
    def calls(count):
        params = [dc.zeros(8, requires_grad=True) for _ in range(count)]
        for p in params:
            p.grad = dc.ones(8)
        optimizer = dc.optim.Adam(params)
        optimizer.step()
        optimizer.step()
        with dc.profiler.profile() as found:
            optimizer.step()
        return sum(event.count for event in found.key_averages())

    assert calls(40) == calls(4)


def test_memory_of_a_parameter_is_its_own():
    params, optimizer = make(dc.optim.Adam, {})
    before = [p.data_ptr() for p in params]
    train(params, optimizer, steps=3)
    assert [p.data_ptr() for p in params] == before
    used = (params[0] * params[0]).sum()
    train(params, optimizer, steps=1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        used.backward()
