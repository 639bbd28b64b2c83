"""Averaged models, batch norm statistics anew, and other parameters for an optimizer for a while."""

import copy

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.optim import swa_utils, swap_in_optimizer_params_and_state


def model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def moved(net, value):
    with dc.no_grad():
        for param in net.parameters():
            param.fill_(value)
        for buffer in net.buffers():
            buffer.fill_(value)


def averages(values, **options):
    """Of parameters and of buffers, after a model has had these values."""
    net = model()
    averaged = swa_utils.AveragedModel(net, **options)
    for value in values:
        moved(net, value)
        averaged.update_parameters(net)
    assert averaged.n_averaged.item() == len(values)
    assert averaged.n_averaged.dtype == dc.int64
    inner = averaged.module
    parameters = {x for param in inner.parameters() for x in param.flatten().tolist()}
    assert len(parameters) == 1
    return parameters.pop(), inner[1].running_mean[0].item(), inner[1].num_batches_tracked.item()


def test_the_mean():
    expected = (pytest.approx(7 / 3), 4, 4)
    assert averages([1, 2, 4]) == expected
    assert averages([1, 2, 4], avg_fn=swa_utils.get_swa_avg_fn()) == expected
    assert averages([1, 2, 4], multi_avg_fn=swa_utils.get_swa_multi_avg_fn()) == expected


def test_an_exponential_average():
    expected = (pytest.approx(0.25 * 1 + 0.25 * 2 + 0.5 * 4), 4, 4)
    assert averages([1, 2, 4], avg_fn=swa_utils.get_ema_avg_fn(0.5)) == expected
    assert averages([1, 2, 4], multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5)) == expected


def test_buffers_may_be_averaged():
    ema = swa_utils.get_ema_multi_avg_fn(0.5)
    mean = pytest.approx(2.75)
    assert averages([1, 2, 4], multi_avg_fn=ema, use_buffers=True) == (mean, mean, 2)
    assert averages([2, 4], use_buffers=True) == (3, 3, 3)


def test_complex_parameters_and_several_dtypes():
    averaged = [dc.zeros(2, dtype=dc.complex64), dc.zeros(2), dc.zeros(2, dtype=dc.float64)]
    current = [dc.full_like(averaged[0], 2 + 4j), dc.ones(2), dc.ones(2, dtype=dc.float64)]
    swa_utils.get_swa_multi_avg_fn()(averaged, current, dc.tensor(1))
    assert averaged[0].tolist() == [1 + 2j] * 2
    assert [x.tolist() for x in averaged[1:]] == [[0.5, 0.5]] * 2


def test_an_averaged_model_is_a_module():
    net = model()
    averaged = swa_utils.AveragedModel(net)
    assert list(averaged.state_dict())[:2] == ["n_averaged", "module.0.weight"]
    assert averaged.module is not net
    x = dc.ones(4, 2)
    assert averaged(x).tolist() == net(x).tolist()
    moved(net, 3)
    assert averaged.module[0].weight[0, 0] != 3
    averaged.update_parameters(net)
    averaged.load_state_dict(copy.deepcopy(averaged.state_dict()))
    assert averaged.module[0].weight.requires_grad
    assert averaged.n_averaged == 1


def test_what_averages_refuse():
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn should be"):
        swa_utils.AveragedModel(model(), avg_fn=max, multi_avg_fn=max)
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match="Invalid decay value 2 provided"):
            make(2)


def test_update_bn():
    net = model()
    net[1].momentum = 0.3
    net.eval()
    batches = [dc.tensor([[1.0, 2.0], [3.0, 5.0]]), (dc.tensor([[4.0, 2.0], [0.0, 1.0]]), "label")]
    swa_utils.update_bn(batches, net, "cpu")
    inner = [net[0](batches[0]), net[0](batches[1][0])]
    mean = sum(x.mean(0) for x in inner) / 2
    variance = sum(x.var(0) for x in inner) / 2
    assert net[1].running_mean.tolist() == pytest.approx(mean.tolist(), rel=1e-5)
    assert net[1].running_var.tolist() == pytest.approx(variance.tolist(), rel=1e-5)
    assert (net[1].momentum, net.training, net[1].num_batches_tracked.item()) == (0.3, False, 2)
    plain = nn.Linear(2, 2)
    swa_utils.update_bn([None], plain)  # nothing to do, so no batch is asked for


def test_swalr_options():
    optimizer = dc.optim.SGD([{"params": [dc.ones(1)]}, {"params": [dc.ones(1)], "lr": 0.2}])
    with pytest.raises(ValueError, match="anneal_strategy must be one of 'cos' or 'linear'"):
        swa_utils.SWALR(optimizer, 0.1, anneal_strategy="step")
    with pytest.raises(ValueError, match="anneal_epochs must be equal or greater than 0, got 1.5"):
        swa_utils.SWALR(optimizer, 0.1, anneal_epochs=1.5)
    with pytest.raises(ValueError, match="swa_lr must have the same length"):
        swa_utils.SWALR(optimizer, [0.1])
    scheduler = swa_utils.SWALR(optimizer, [0.1, 0.3], anneal_epochs=2)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([0.1, 0.3])


# ---------------------------------------------------------------- swapping


def trained():
    net = nn.Linear(2, 1)
    optimizer = dc.optim.Adam([{"params": [net.weight]}, {"params": [net.bias], "lr": 0.5}])
    feed(net.parameters())
    optimizer.step()
    return net, optimizer


def feed(params):
    for param in params:
        param.grad = dc.ones_like(param).detach()


def others(net):
    return {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}


def test_swapped_parameters_move_and_the_own_ones_do_not():
    net, optimizer = trained()
    saved, new = copy.deepcopy(optimizer.state_dict()), others(net)
    saved["param_groups"][0]["lr"] = 0.25
    before = net.weight.tolist()
    feed(new.values())
    with swap_in_optimizer_params_and_state(optimizer, new, saved):
        assert optimizer.param_groups[0]["params"] == [new["weight"]]
        optimizer.step()
        optimizer.param_groups[0]["lr"] = 7
    assert optimizer.param_groups[0]["params"][0] is net.weight
    assert net.weight.tolist() == before
    assert new["weight"].tolist() == [pytest.approx([x - 0.25 for x in before[0]])]
    assert saved["state"][0]["step"].item() == 2
    assert optimizer.state[net.weight]["step"].item() == 1
    assert (saved["param_groups"][0]["lr"], optimizer.param_groups[0]["lr"]) == (0.25, 0.001)


def test_an_error_swaps_back():
    net, optimizer = trained()
    with (
        pytest.raises(KeyError),
        swap_in_optimizer_params_and_state(optimizer, others(net), optimizer.state_dict()),
    ):
        raise KeyError
    assert optimizer.param_groups[0]["params"][0] is net.weight


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda new, saved: new.pop("bias"), "to match optimizer.param_groups ordering"),
        (lambda new, saved: saved.pop("param_groups"), "list of param-group dicts, got NoneType"),
        (lambda new, saved: saved["param_groups"].pop(), "different number of parameter groups"),
        (lambda new, saved: saved["state"].update({5: {}}), r"got extra keys \[5\]"),
        (
            lambda new, saved: saved["param_groups"][0].update(params=[0, 1]),
            "param group 0 has a different number of params",
        ),
        (
            lambda new, saved: saved["param_groups"][0].pop("betas"),
            r"Keys only in swap-in: \[\]. Keys only in live: \['betas'\]",
        ),
    ],
)
def test_what_does_not_fit(change, message):
    net, optimizer = trained()
    new, saved = others(net), copy.deepcopy(optimizer.state_dict())
    change(new, saved)
    with (
        pytest.raises(RuntimeError, match=message),
        swap_in_optimizer_params_and_state(optimizer, new, saved),
    ):
        pass


def test_an_optimizer_without_state_is_refused():
    net = nn.Linear(2, 1)
    optimizer = dc.optim.Adam(net.parameters())
    with (
        pytest.raises(RuntimeError, match="requires initialized optimizer state"),
        swap_in_optimizer_params_and_state(optimizer, others(net), optimizer.state_dict()),
    ):
        pass
