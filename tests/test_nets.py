"""The hand-written backpropagation against finite differences and torch, and what bad input gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from llmnotes.scratch.nets import (
    ACTIVATIONS,
    Net,
    cross_entropy,
    flatten,
    forward,
    gradients,
    hessian,
    init,
    select,
    sigmoid,
    train,
    unflatten,
)

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])
TORCH = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "identity": lambda z: z}


def a_net(sizes=(3, 5, 4, 2), activation="tanh", seed=0) -> Net:
    """A network whose biases are not zero, so that a forgotten bias shows."""
    net = init(sizes, seed, activation=activation)
    rng = np.random.default_rng(100)
    return Net(net.weights, tuple(rng.normal(size=b.shape) for b in net.biases), activation)


def some_examples(net: Net, n=7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, net.sizes[0])), rng.integers(0, 2, size=(n, net.sizes[-1])).astype(float)


def torch_loss(row: torch.Tensor, like: Net, x: np.ndarray, y: np.ndarray) -> torch.Tensor:
    """The same network written with torch alone, from one row of parameters."""
    h, at = torch.tensor(x), 0
    for layer, (d_in, d_out) in enumerate(zip(like.sizes[:-1], like.sizes[1:], strict=True)):
        w = row[at : at + d_in * d_out].reshape(d_in, d_out)
        b = row[at + d_in * d_out : at + (d_in + 1) * d_out]
        at += (d_in + 1) * d_out
        h = h @ w + b
        if layer < len(like.sizes) - 2:
            h = TORCH[like.activation](h)
    return torch.nn.functional.binary_cross_entropy_with_logits(h, torch.tensor(y))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(3, 5, 4, 2), (2, 3, 1), (2, 1)])
def test_gradients_equal_torch(activation, sizes):
    net = a_net(sizes, activation)
    x, y = some_examples(net)
    loss, by_hand = gradients(net, x, y)
    row = torch.tensor(flatten(net), requires_grad=True)
    expected = torch_loss(row, net, x, y)
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    np.testing.assert_allclose(flatten(by_hand), row.grad.numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_equal_finite_differences(activation):
    net = a_net(activation=activation)
    x, y = some_examples(net)
    row, by_hand = flatten(net), flatten(gradients(net, x, y)[1])
    nudges = 1e-6 * np.eye(len(row))
    up, down = (cross_entropy(forward(unflatten(row + s * nudges, net), x)[-1], y) for s in (1, -1))
    np.testing.assert_allclose(by_hand, (up - down) / 2e-6, rtol=1e-6, atol=1e-9)


def test_hessian_equals_torch():
    net = a_net((2, 3, 1))
    x, y = some_examples(net)
    expected = torch.autograd.functional.hessian(lambda row: torch_loss(row, net, x, y), torch.tensor(flatten(net)))
    np.testing.assert_allclose(hessian(net, x, y), expected.numpy(), atol=1e-9)


def test_many_networks_at_once_equal_each_alone():
    many = train(init((2, 3, 1), range(5)), X, XOR, lr=0.7, steps=50, every=20)
    assert many.net.runs == 5
    assert many.steps.tolist() == [0, 20, 40, 50]
    for seed in range(5):
        alone = train(init((2, 3, 1), seed), X, XOR, lr=0.7, steps=50, every=20)
        assert alone.net.runs is None
        np.testing.assert_allclose(flatten(select(many.net, seed)), flatten(alone.net), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(many.losses[:, seed], alone.losses, rtol=1e-10)
    np.testing.assert_allclose(hessian(many.net, X, XOR)[3], hessian(select(many.net, 3), X, XOR), atol=1e-9)


def test_one_step_of_training_is_one_step_against_the_gradient():
    net = a_net((2, 3, 1))
    after = train(net, X, XOR, lr=0.3, steps=1, decay=0.1).net
    d = flatten(gradients(net, X, XOR)[1])
    np.testing.assert_allclose(flatten(after), flatten(net) - 0.3 * (d + 0.1 * flatten(net)), rtol=1e-12)


def test_training_solves_xor_and_leaves_the_start_alone():
    net = init((2, 4, 1), 0)
    before = flatten(net).copy()
    runs = train(net, X, XOR, lr=1, steps=2000, every=2000)
    assert runs.losses[-1] < 0.01 < runs.losses[0]
    np.testing.assert_array_equal((sigmoid(forward(runs.net, X)[-1]) > 0.5).astype(float), XOR)
    np.testing.assert_array_equal(flatten(net), before)


def test_frozen_layers_stay_and_the_others_move():
    net = init((2, 4, 1), 0)
    after = train(net, X, XOR, lr=1, steps=10, frozen=[0]).net
    np.testing.assert_array_equal(after.weights[0], net.weights[0])
    np.testing.assert_array_equal(after.biases[0], net.biases[0])
    assert np.abs(after.weights[1] - net.weights[1]).min() > 0


def test_without_a_bend_the_best_loss_is_ln_2():
    runs = train(init((2, 3, 1), range(3), activation="identity"), X, XOR, lr=0.5, steps=3000, every=3000)
    np.testing.assert_allclose(runs.losses[-1], np.log(2), atol=1e-9)


def test_init_keeps_the_glorot_range():
    net = init((30, 50, 1), range(4))
    limit = np.sqrt(6 / 80)
    assert 0.98 * limit < np.abs(net.weights[0]).max() <= limit
    assert all(np.all(b == 0) for b in net.biases)
    np.testing.assert_array_equal(init((30, 50, 1), 2).weights[1], net.weights[1][2])


def test_sigmoid_and_cross_entropy_do_not_overflow():
    far = np.array([[-1e4], [1e4]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert sigmoid(far).ravel().tolist() == [0.0, 1.0]
        assert cross_entropy(far, np.array([[1.0], [1.0]])) == pytest.approx(5000)


def test_flatten_and_unflatten_are_inverse():
    net = init((3, 5, 4, 2), range(6))
    again = unflatten(flatten(net), net)
    for mine, theirs in zip((*net.weights, *net.biases), (*again.weights, *again.biases), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init((2,), 0), r"sizes is \(2,\); expected at least"),
        (lambda: init((2, 0, 1), 0), r"sizes is \(2, 0, 1\)"),
        (lambda: init((2, 2, 1), 0, activation="swish"), "'swish'; expected one of tanh"),
        (lambda: init((2, 2, 1), []), "seed is empty"),
        (lambda: forward(init((2, 2, 1), 0), np.ones((4, 3))), r"x has shape \(4, 3\); expected \(batch, 2\)"),
        (lambda: forward(init((2, 2, 1), 0), np.ones(2)), r"x has shape \(2,\)"),
        (lambda: gradients(init((2, 2, 1), 0), X, XOR.ravel()), r"y has shape \(4,\); expected \(4, 1\)"),
        (lambda: train(init((2, 2, 1), 0), X, XOR.ravel(), lr=1, steps=1), r"y has shape \(4,\)"),
        (lambda: train(init((2, 2, 1), 0), X, XOR, lr=0, steps=1), "lr is 0; expected a positive number"),
        (lambda: train(init((2, 2, 1), 0), X, XOR, lr=float("nan"), steps=1), "lr is nan"),
        (lambda: train(init((2, 2, 1), 0), X, XOR, lr=1, steps=0), "steps is 0"),
        (lambda: train(init((2, 2, 1), 0), X, XOR, lr=1, steps=1, frozen=[2]), "frozen names layer 2; .* 0 to 1"),
        (lambda: select(init((2, 2, 1), 0), 0), "no axis of runs"),
        (lambda: unflatten(np.zeros(8), init((2, 2, 1), 0)), r"8 parameters; .* \(2, 2, 1\) has 9"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
