"""Parameter groups, state, saving, hooks and errors of optimizers."""

import copy
import pickle

import pytest

import dispatch_core as dc
from dispatch_core.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    required,
)


def parameter(*values, dtype=None):
    return dc.tensor(values or (1.0, 2.0), dtype=dtype, requires_grad=True)


def with_gradient(*values):
    param = parameter(*values)
    param.grad = dc.ones_like(param).detach()
    return param


# ---------------------------------------------------------------- groups


def test_groups_take_defaults_and_keep_their_own_options():
    first, second = parameter(), parameter()
    optimizer = dc.optim.SGD([{"params": first}, {"params": [second], "lr": 0.5}], lr=0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5]
    assert optimizer.param_groups[0]["params"][0] is first
    assert list(optimizer.param_groups[0]) == [
        "params",
        "lr",
        "momentum",
        "dampening",
        "weight_decay",
        "nesterov",
        "maximize",
        "foreach",
        "differentiable",
        "fused",
    ]


def test_groups_may_be_added_later():
    optimizer = dc.optim.Adam([parameter()])
    optimizer.add_param_group({"params": iter([parameter()]), "lr": 0.5})
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 1]


def test_named_parameters_keep_their_names():
    optimizer = dc.optim.SGD([("a", parameter()), ("b", parameter())])
    assert optimizer.param_groups[0]["param_names"] == ["a", "b"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["a", "b"]
    with pytest.raises(ValueError, match="all optimizer param groups should be with/without names"):
        optimizer.add_param_group({"params": [parameter()]})
    with pytest.raises(ValueError, match="Some param names are missing"):
        dc.optim.SGD([("a", parameter()), parameter()])


def test_repr_lists_the_groups():
    text = repr(dc.optim.SGD([parameter()], lr=0.25))
    assert text.splitlines()[:4] == [
        "SGD (",
        "Parameter Group 0",
        "    dampening: 0",
        "    differentiable: False",
    ]
    assert "    lr: 0.25\n" in text
    assert text.endswith("\n)")


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (lambda: parameter(), TypeError, "should be an iterable of Tensors or dicts"),
        (list, ValueError, "optimizer got an empty parameter list"),
        (lambda: [3.0], TypeError, "can only optimize Tensors, but one of the params is float"),
        (lambda: [parameter() * 2], ValueError, "can't optimize a non-leaf Tensor"),
        (lambda: [{"params": {parameter()}}], TypeError, "ordered collections"),
        (lambda: [{"params": []}, 3], TypeError, "param_group must be a dict"),
    ],
)
def test_bad_parameters(params, error, message):
    with pytest.raises(error, match=message):
        dc.optim.SGD(params(), lr=0.1)


def test_a_parameter_in_two_groups_is_an_error():
    param = parameter()
    with pytest.raises(ValueError, match="more than one parameter group"):
        dc.optim.SGD([{"params": [param]}, {"params": [param]}])
    with pytest.warns(UserWarning, match="duplicate parameters"):
        dc.optim.SGD([param, param])


def test_required_options_must_be_given():
    class Own(Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": required})

    assert repr(required) == "<required parameter>"
    assert Own([{"params": [parameter()], "lr": 1}]).param_groups[0]["lr"] == 1
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Own([parameter()])
    with pytest.raises(NotImplementedError):
        Own([{"params": [parameter()], "lr": 1}]).step()


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("SGD", {"lr": -1}, "Invalid learning rate: -1"),
        ("SGD", {"momentum": -1}, "Invalid momentum value: -1"),
        ("SGD", {"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ("SGD", {"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        (
            "SGD",
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            "Nesterov momentum requires a momentum and zero dampening",
        ),
        ("Adam", {"lr": -1}, "Invalid learning rate: -1"),
        ("Adam", {"eps": -1}, "Invalid epsilon value: -1"),
        ("Adam", {"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
        ("Adam", {"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
        ("Adam", {"betas": (0, 0.9)}, "betas must be either both floats or both Tensors"),
        ("AdamW", {"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ("RMSprop", {"alpha": -1}, "Invalid alpha value: -1"),
        ("RMSprop", {"momentum": -1}, "Invalid momentum value: -1"),
        ("ASGD", {"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ("Adadelta", {"rho": 2}, "Invalid rho value: 2"),
        ("Adadelta", {"eps": -1}, "Invalid epsilon value: -1"),
        ("Adafactor", {"lr": -1}, "Learning rate should be >= 0 but is: -1"),
        ("Adafactor", {"beta2_decay": 1}, "beta2_decay should be <= 0 but is: 1"),
        ("Adafactor", {"eps": (-1, 1)}, "epsilon1 should be >= 0 but is: -1"),
        ("Adafactor", {"eps": (None, -1)}, "epsilon2 should be >= 0 but is: -1"),
        ("Adafactor", {"d": 0.5}, "Clipping threshold d should be >= 1 but is: 0.5"),
        ("Adafactor", {"weight_decay": -1}, "weight_decay should be >= 0 but is: -1"),
        ("Adagrad", {"lr_decay": -1}, "Invalid lr_decay value: -1"),
        (
            "Adagrad",
            {"initial_accumulator_value": -1},
            "Invalid initial_accumulator_value value: -1",
        ),
        ("Adamax", {"betas": (1, 0.9)}, "Invalid beta parameter at index 0: 1"),
        ("Muon", {"lr": -1}, "Learning rate should be >= 0 but is: -1"),
        ("Muon", {"momentum": -1}, "momentum should be >= 0 but is: -1"),
        ("Muon", {"weight_decay": -1}, "weight decay should be >= 0 but is: -1"),
        ("Muon", {"adjust_lr_fn": "x"}, "Adjust learning rate function x is not supported"),
        ("Muon", {}, r"Muon only supports 2D parameters whereas we found a .* size: .*\[2\]"),
        ("NAdam", {"momentum_decay": -1}, "Invalid momentum_decay value: -1"),
        ("RAdam", {"betas": (0.9, 1)}, "Invalid beta parameter at index 1: 1"),
        ("Rprop", {"etas": (1.5, 2)}, "Invalid eta values: 1.5, 2"),
    ],
)
def test_options_out_of_range(name, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(dc.optim, name)([parameter()], **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ns_steps": 100}, "Number of steps must be less than 100"),
        ({"ns_coefficients": (1, 2)}, "Coefficients must be a tuple of exactly 3 values"),
    ],
)
def test_options_of_muon_are_asked_for_when_it_steps(options, message):
    param = dc.ones(2, 2, requires_grad=True)
    param.grad = dc.ones(2, 2)
    with pytest.raises(ValueError, match=message):
        dc.optim.Muon([param], **options).step()


@pytest.mark.parametrize("name", ["Adafactor", "Muon"])
def test_complex_parameters_that_are_refused(name):
    param = dc.ones(2, 2, dtype=dc.complex64, requires_grad=True)
    param.grad = dc.ones_like(param).detach()
    with pytest.raises(RuntimeError, match=f"{name} does not support complex parameters"):
        getattr(dc.optim, name)([param]).step()


EVERY = [name for name in dc.optim.__all__ if isinstance(getattr(dc.optim, name), type)]


@pytest.mark.parametrize("name", [name for name in EVERY if name != "Optimizer"])
def test_a_tensor_lr_has_one_element(name):
    make = getattr(dc.optim, name)
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        make([dc.ones(2, 2)], lr=dc.tensor([0.1, 0.2]))
    assert make([dc.ones(2, 2)], lr=dc.tensor([0.1])).param_groups[0]["lr"].shape == (1,)


def test_adagrad_has_state_before_its_first_step():
    param = parameter()
    optimizer = dc.optim.Adagrad([param], initial_accumulator_value=0.5)
    assert optimizer.state[param]["sum"].tolist() == [0.5, 0.5]
    late = with_gradient()
    optimizer.add_param_group({"params": [late], "initial_accumulator_value": 0.25})
    optimizer.step()
    assert optimizer.state[late]["sum"].tolist() == [1.25, 1.25]
    assert dc.optim.Adagrad([param.detach().to(dc.complex64)], initial_accumulator_value=2)


def with_sparse_gradient():
    table = dc.nn.Embedding(3, 2, sparse=True)
    table(dc.tensor([1])).sum().backward()
    return table.weight


def test_messages_name_the_optimizer_that_a_class_was_made_from():
    class Own(dc.optim.AdamW):
        pass

    with pytest.raises(RuntimeError, match="^Adam does not support sparse gradients, please"):
        Own([with_sparse_gradient()]).step()


@pytest.mark.parametrize("dtype", [dc.float16, dc.bfloat16])
@pytest.mark.parametrize(
    "name", [n for n in EVERY if n not in ("Optimizer", "LBFGS", "SparseAdam")]
)
def test_half_precision_follows_float32(name, dtype):
    moved = []
    for each in (dc.float32, dtype):
        param = dc.tensor([[0.5, -1.0], [2.0, 0.25]], dtype=each, requires_grad=True)
        optimizer = getattr(dc.optim, name)([param], lr=0.125)
        for step in range(3):
            param.grad = dc.tensor([[1.0, -2.0], [0.5, step]], dtype=each)
            optimizer.step()
        moved.append(param.detach().float())
    assert (moved[0] - moved[1]).abs().max() < 0.03


def test_implementations_that_exclude_each_other():
    for name in ("SGD", "Adam", "AdamW", "Adagrad"):
        make = getattr(dc.optim, name)
        with pytest.raises(RuntimeError, match="`fused` does not support `differentiable`"):
            make([parameter()], fused=True, differentiable=True)
        with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
            make([parameter()], fused=True, foreach=True)
    with pytest.raises(ValueError, match="lr as a Tensor is not supported"):
        dc.optim.Adam([parameter()], lr=dc.tensor(0.1), foreach=True)


def test_sparse_gradients_are_refused():
    with pytest.raises(RuntimeError, match="Adam does not support sparse gradients, please consid"):
        dc.optim.Adam([with_sparse_gradient()]).step()


def test_fused_wants_floating_point():
    param = dc.zeros(2, dtype=dc.complex64, requires_grad=True)
    param.grad = dc.zeros(2, dtype=dc.complex64)
    with pytest.raises(RuntimeError, match="`fused=True` requires all the params to be floating"):
        dc.optim.SGD([param], fused=True).step()


# ---------------------------------------------------------------- stepping


def test_parameters_without_gradient_stay_and_have_no_state():
    moved, still = with_gradient(), parameter()
    optimizer = dc.optim.Adam([moved, still], lr=0.1)
    optimizer.step()
    assert still.tolist() == [1.0, 2.0]
    assert list(optimizer.state) == [moved]


def test_closure_runs_with_gradients_and_its_loss_is_returned():
    param = parameter()
    optimizer = dc.optim.SGD([param], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (param**2).sum()
        loss.backward()
        return loss

    with dc.no_grad():
        assert optimizer.step(closure).item() == 5.0
    assert param.tolist() == [0.0, 0.0]
    assert param.requires_grad
    assert param.is_leaf


def test_zero_grad():
    param = with_gradient()
    optimizer = dc.optim.SGD([param])
    grad = param.grad
    optimizer.zero_grad(set_to_none=False)
    assert param.grad is grad
    assert grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert param.grad is None


# ---------------------------------------------------------------- state dicts


def test_state_dict_layout():
    params = [with_gradient(), parameter(), with_gradient()]
    optimizer = dc.optim.Adam([{"params": params[:1]}, {"params": params[1:]}], amsgrad=True)
    optimizer.step()
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert list(saved["state"]) == [0, 2]
    assert list(saved["state"][2]) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert [group["params"] for group in saved["param_groups"]] == [[0], [1, 2]]
    assert list(saved["param_groups"][0]) == [
        "lr",
        "betas",
        "eps",
        "weight_decay",
        "amsgrad",
        "maximize",
        "foreach",
        "capturable",
        "differentiable",
        "fused",
        "decoupled_weight_decay",
        "params",
    ]
    step = saved["state"][0]["step"]
    assert (step.shape, step.dtype, step.item()) == ((), dc.float32, 1.0)


@pytest.mark.parametrize(
    ("name", "options", "state"),
    [
        ("SGD", {}, None),
        ("SGD", {"momentum": 0.9}, ["momentum_buffer"]),
        ("RMSprop", {}, ["step", "square_avg"]),
        (
            "RMSprop",
            {"momentum": 0.9, "centered": True},
            ["step", "square_avg", "momentum_buffer", "grad_avg"],
        ),
    ],
)
def test_state_of_each_optimizer(name, options, state):
    optimizer = getattr(dc.optim, name)([with_gradient()], **options)
    optimizer.step()
    saved = optimizer.state_dict()["state"]
    assert saved == {} if state is None else list(saved[0]) == state


def test_loading_moves_state_to_the_parameters_dtype_but_not_the_counter():
    source = dc.optim.Adam([with_gradient()])
    source.step()
    param = parameter(dtype=dc.float64)
    target = dc.optim.Adam([param])
    target.load_state_dict(source.state_dict())
    assert target.state[param]["exp_avg"].dtype == dc.float64
    assert target.state[param]["step"].dtype == dc.float32


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("Adam", ["step"]), ("ASGD", ["step", "eta", "mu"]), ("NAdam", ["step", "mu_product"])],
)
def test_loading_numbers_that_are_no_tensors(name, numbers):
    optimizer = getattr(dc.optim, name)([with_gradient()])
    optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())
    for number in numbers:
        saved["state"][0][number] = 7
    del saved["param_groups"][0]["maximize"]
    optimizer.load_state_dict(saved)
    loaded = optimizer.state_dict()["state"][0]
    assert [loaded[number].item() for number in numbers] == [7.0] * len(numbers)
    assert optimizer.param_groups[0]["maximize"] is False


def test_loading_adams_state_into_adamw_keeps_it_adamw():
    source, target = dc.optim.Adam([parameter()]), dc.optim.AdamW([parameter()])
    target.load_state_dict(source.state_dict())
    assert target.param_groups[0]["decoupled_weight_decay"] is True


def test_loading_what_does_not_fit():
    one, two = dc.optim.SGD([parameter()]), dc.optim.SGD([parameter(), parameter()])
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        one.load_state_dict(two.state_dict())
    groups = dc.optim.SGD([{"params": parameter()}, {"params": parameter()}])
    with pytest.raises(ValueError, match="different number of parameter groups"):
        one.load_state_dict(groups.state_dict())


def test_names_are_kept_unless_the_state_dict_has_its_own():
    named = dc.optim.SGD([("a", parameter())])
    named.load_state_dict(dc.optim.SGD([parameter()]).state_dict())
    assert named.param_groups[0]["param_names"] == ["a"]
    named.load_state_dict(dc.optim.SGD([("b", parameter())]).state_dict())
    assert named.param_groups[0]["param_names"] == ["b"]


def test_copies_and_pickles():
    optimizer = dc.optim.SGD([with_gradient()], lr=0.5, momentum=0.9)
    dc.optim.lr_scheduler.StepLR(optimizer, 1)
    optimizer.step()
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        param = twin.param_groups[0]["params"][0]
        assert param.tolist() == [0.5, 1.5]
        assert twin.state[param]["momentum_buffer"].tolist() == [1.0, 1.0]
        param.grad = dc.ones_like(param).detach()
        twin.step()
        assert param.tolist() == pytest.approx([-0.45, 0.55])


# ---------------------------------------------------------------- hooks


def test_step_hooks_run_in_order_and_can_be_removed():
    optimizer = dc.optim.SGD([with_gradient()])
    seen = []

    def noting(what):
        return lambda self, args, kwargs: seen.append((what, self is optimizer, len(args), kwargs))

    handles = [
        optimizer.register_step_pre_hook(noting("pre")),
        optimizer.register_step_post_hook(noting("post")),
        register_optimizer_step_pre_hook(noting("global pre")),
        register_optimizer_step_post_hook(noting("global post")),
    ]
    optimizer.step()
    order = ["global pre", "pre", "post", "global post"]
    assert seen == [(what, True, 1, {}) for what in order]
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert len(seen) == 4


def test_a_pre_hook_may_change_the_arguments():
    optimizer = dc.optim.SGD([with_gradient()])
    optimizer.register_step_pre_hook(lambda self, args, kwargs: ((self, lambda: 7), {}))
    assert optimizer.step() == 7
    optimizer.register_step_pre_hook(lambda self, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_hooks_run_once_when_a_subclass_calls_its_parent():
    class Own(dc.optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    optimizer, seen = Own([with_gradient()]), []
    optimizer.register_step_post_hook(lambda *args: seen.append(1))
    optimizer.step()
    assert seen == [1]


def test_state_dict_hooks():
    optimizer = dc.optim.SGD([with_gradient()])
    seen = []
    optimizer.register_state_dict_pre_hook(lambda self: seen.append("second"))
    optimizer.register_state_dict_pre_hook(lambda self: seen.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda self, saved: {**saved, "more": 1})
    saved = optimizer.state_dict()
    assert (seen, saved["more"]) == (["first", "second"], 1)

    def doubled(self, saved):
        groups = copy.deepcopy(saved["param_groups"])
        groups[0]["lr"] *= 2
        return {**saved, "param_groups": groups}

    optimizer.register_load_state_dict_pre_hook(doubled)
    optimizer.register_load_state_dict_post_hook(lambda self: seen.append("loaded"))
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 0.002
    assert seen[-1] == "loaded"
