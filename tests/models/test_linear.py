"""oneDNN's products against torch's own."""

import copy

import pytest
import torch
from torch import nn

from uxla.models.linear import Linear, linear, products_by_onednn, use_faster_products

SHAPES = [(1, 256), (7, 256), (2, 3, 256), (5, 300), (300, 384)]
"""Of inputs; with 512 columns all weights are large."""


def tensors(shape: tuple[int, ...], columns: int = 512) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    drawn = torch.Generator().manual_seed(len(shape))
    sizes = (shape, (columns, shape[-1]), (columns,))
    inputs, weight, bias = (torch.randn(size, generator=drawn, dtype=torch.float32) for size in sizes)
    return inputs, weight, bias


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("biased", [True, False])
def test_products_and_their_gradients_are_torchs_but_for_rounding(shape, biased):
    found = []
    for product in (linear, nn.functional.linear):
        inputs, weight, bias = (tensor.requires_grad_() for tensor in tensors(shape))
        made = product(inputs, weight, bias if biased else None)
        (made * made.detach().cos()).sum().backward()
        found.append((made, inputs.grad, weight.grad, bias.grad if biased else made))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-3)


def test_without_a_gradient_the_product_is_the_same_to_the_bit():
    inputs, weight, bias = tensors((9, 256))
    with torch.no_grad():
        plain = linear(inputs, weight, bias)
    assert torch.equal(plain, linear(inputs, weight.requires_grad_(), bias).detach())


def test_a_product_is_the_same_every_time_and_whatever_rows_stand_beside_it():
    inputs, weight, bias = tensors((64, 256))
    with torch.no_grad():
        whole = linear(inputs, weight, bias)
        assert torch.equal(whole, linear(inputs, weight, bias))
        assert torch.equal(whole[20:40], linear(inputs[20:40], weight, bias))


def test_a_row_by_itself_differs_in_rounding_only():
    inputs, weight, bias = tensors((64, 256))
    with torch.no_grad():
        torch.testing.assert_close(linear(inputs[:1], weight, bias), linear(inputs, weight, bias)[:1])


def test_gradients_have_gradients_of_their_own():
    found = []
    for product in (linear, nn.functional.linear):
        given = [tensor.div(8).requires_grad_() for tensor in tensors((6, 256))]
        first = torch.autograd.grad(product(*given).sum(), given[:2], create_graph=True)
        bent = torch.autograd.grad(product(*given).tanh().sum(), given, create_graph=True)
        sum((gradient**2).sum() for gradient in (*first, *bent)).backward()
        found.append([tensor.grad for tensor in given])
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-2)


VIEWS = {
    "a position of each row": lambda t: t.view(4, 6, 256)[:, 2],
    "turned round": lambda t: t.reshape(256, 24).t(),
    "one row many times": lambda t: t[:1].expand(5, 256),
    "no row": lambda t: t[:0],
    "one vector": lambda t: t[3],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_of_a_tensor_are_multiplied_as_they_look(view):
    inputs, weight, bias = tensors((24, 256))
    with torch.no_grad():
        made, expected = linear(view(inputs), weight, bias), nn.functional.linear(view(inputs), weight, bias)
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-3)
    assert made.shape == expected.shape


def test_a_gradient_that_is_one_number_spread_out_is_read_as_it_looks():
    inputs, weight, bias = (tensor.requires_grad_() for tensor in tensors((6, 256)))
    linear(inputs, weight, bias).sum().backward()
    torch.testing.assert_close(inputs.grad, weight.detach().sum(0).expand(6, 256), rtol=1e-4, atol=1e-3)


def test_frozen_weights_get_no_gradient_and_pass_theirs_on():
    inputs, weight, bias = tensors((3, 4, 256))
    linear(inputs.requires_grad_(), weight, bias).sum().backward()
    assert weight.grad is None
    assert inputs.grad is not None
    assert inputs.grad.shape == inputs.shape


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_are_left_to_torch(dtype):
    inputs, weight, bias = (tensor.to(dtype) for tensor in tensors((5, 256)))
    assert torch.equal(linear(inputs, weight, bias), nn.functional.linear(inputs, weight, bias))


def test_small_weights_are_left_to_torch():
    inputs, weight, bias = tensors((700, 128))
    with torch.no_grad():
        assert torch.equal(linear(inputs, weight, bias), nn.functional.linear(inputs, weight, bias))


def test_under_autocast_the_product_is_in_half_precision():
    inputs, weight, bias = tensors((5, 256))
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(inputs, weight, bias).dtype == torch.bfloat16


class Doubling(nn.Linear):
    def forward(self, input):
        return 2 * super().forward(input)


def test_a_models_layers_become_faster_and_nothing_else_of_it_changes():
    plain = nn.Sequential(nn.Linear(256, 512), nn.GELU(), nn.Sequential(nn.Linear(512, 3, bias=False)), Doubling(3, 3))
    faster = copy.deepcopy(plain)
    use_faster_products(faster)
    assert [type(module) for module in faster.modules()] == [
        nn.Sequential, Linear, nn.GELU, nn.Sequential, Linear, Doubling,
    ]  # fmt: skip
    assert repr(faster) == repr(plain)
    assert [*faster.state_dict()] == [*plain.state_dict()]
    inputs = tensors((4, 256))[0]
    torch.testing.assert_close(faster(inputs), plain(inputs), rtol=1e-4, atol=1e-3)


def test_what_is_exported_holds_torchs_own_products():
    model = nn.Sequential(nn.Linear(256, 512)).eval()
    use_faster_products(model)
    graph = str(torch.export.export(model, (tensors((5, 256))[0],)).graph)
    assert "aten.linear" in graph
    assert "mkldnn" not in graph


@pytest.mark.filterwarnings("ignore")  # tracing is deprecated
def test_what_is_traced_holds_torchs_own_products():
    model = nn.Sequential(nn.Linear(256, 512)).eval()
    use_faster_products(model)
    inputs = tensors((5, 256))[0]
    traced = torch.jit.trace(model, inputs)
    assert "aten::linear" in str(traced.inlined_graph)
    torch.testing.assert_close(traced(inputs), model(inputs), rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
def test_processor_and_torch_alone_decide_who_multiplies():
    assert products_by_onednn() == (torch.backends.cpu.get_cpu_capability() == "AVX512")
