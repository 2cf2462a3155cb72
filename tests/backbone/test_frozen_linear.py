"""Products with frozen weights by oneDNN: within rounding, and only where they belong."""

import pytest
import torch
import torch.nn.functional as F
from tolerance import float32_bound, product_bound
from torch import nn

import npt_plugin.backbone.frozen_linear as kernels
from npt_plugin.backbone.frozen_linear import frozen_linear, plain_kernels, takes_onednn
from npt_plugin.cli import doctor
from npt_plugin.errors import UserError

pytestmark = pytest.mark.numerics(single=True)
needs_onednn = pytest.mark.skipif(not kernels._has_onednn(), reason="PyTorch without oneDNN")
M, IN, OUT = 96, 256, 640


@pytest.fixture(autouse=True)
def as_if_it_paid(monkeypatch):
    """The kernel is checked wherever it runs, also where the rule prefers PyTorch's own."""
    monkeypatch.setattr(kernels, "_pays", kernels._has_onednn)


def frozen(outputs=OUT, inputs=IN):
    torch.manual_seed(5)
    weight, bias = torch.randn(outputs, inputs) / inputs**0.5, torch.randn(outputs)
    return nn.Parameter(weight, requires_grad=False), nn.Parameter(bias, requires_grad=False)


def assert_product(actual, x, weight, bias=None):
    """Within what float32 may add to ``x @ weight.T + bias`` in any order of summing."""
    exact = F.linear(x.double(), weight.double(), None if bias is None else bias.double())
    assert actual.shape == exact.shape and exact.abs().max() > 0
    assert ((actual - exact).abs() <= product_bound(x, weight, bias)).all()


@needs_onednn
@pytest.mark.parametrize("shape", [(M, IN), (3, 32, IN), (2, 3, 16, IN)])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("view", ["whole", "rows", "transposed"])
def test_forward_gradient_and_second_gradient_are_products(shape, with_bias, view):
    weight, bias = frozen()
    if view == "rows":
        weight, bias = frozen(3 * OUT)
        weight, bias = weight[OUT : 2 * OUT], bias[OUT : 2 * OUT]
    if view == "transposed":
        weight = frozen(IN, OUT)[0].t()
    bias = bias if with_bias else None
    x = torch.randn(shape, requires_grad=True)
    upstream = torch.randn(*shape[:-1], OUT, requires_grad=True)
    again = torch.randn(shape)
    assert takes_onednn(x, weight, bias)
    y = frozen_linear(x, weight, bias)
    (first,) = torch.autograd.grad(y, x, upstream, create_graph=True)
    (second,) = torch.autograd.grad(first, upstream, again)
    assert_product(y, x, weight, bias)
    assert_product(first, upstream, weight.t())
    assert_product(second, again, weight)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert_product(frozen_linear(x, weight, bias), x, weight, bias)


@needs_onednn
def test_a_kernel_off_by_one_in_ten_thousand_would_be_noticed(monkeypatch):
    weight, bias = frozen()
    x, real = torch.randn(M, IN), kernels._product
    monkeypatch.setattr(kernels, "_product", lambda *a: real(*a) * (1 + 1e-4))
    with pytest.raises(AssertionError):
        assert_product(frozen_linear(x, weight, bias), x, weight, bias)


@needs_onednn
def test_a_stride_of_zero_or_a_permuted_input_is_read_right():
    weight, bias = frozen()
    one, turned, apart = torch.randn(1, IN), torch.randn(IN, M), torch.randn(M, 2, IN)
    for x in (one.expand(M, -1), turned.t(), apart[:, 1]):
        assert takes_onednn(x, weight, bias)
        assert_product(frozen_linear(x, weight, bias), x, weight, bias)


@needs_onednn
@pytest.mark.parametrize("learns", ["weight", "bias", "both"])
@pytest.mark.parametrize("shape", [(M, IN), (2, 3, 16, IN)])
def test_weights_that_learn_get_their_gradient_and_the_same_forward(shape, learns):
    weight, bias = frozen()
    x, upstream = torch.randn(shape, requires_grad=True), torch.randn(*shape[:-1], OUT)
    expected = frozen_linear(x, weight, bias)
    weight.requires_grad_(learns != "bias"), bias.requires_grad_(learns != "weight")
    y = frozen_linear(x, weight, bias)
    assert torch.equal(y, expected)
    wanted = [t for t in (x, weight, bias) if t.requires_grad]
    found = dict(zip(map(id, wanted), torch.autograd.grad(y, wanted, upstream), strict=True))
    assert_product(found[id(x)], upstream, weight.t())
    rows, inputs = upstream.reshape(-1, OUT), x.detach().reshape(-1, IN)
    if learns != "bias":
        assert_product(found[id(weight)], rows.t(), inputs.t())
    if learns != "weight":
        assert_product(found[id(bias)][:, None], rows.t(), torch.ones(1, len(rows)))
    with torch.no_grad():
        assert not frozen_linear(x, weight, bias).requires_grad


def test_it_is_used_only_for_large_fp32_products_on_a_cpu():
    weight, bias = frozen()
    x = torch.randn(M, IN)
    assert takes_onednn(x, weight, bias) == kernels._has_onednn()
    refused = {
        "few rows": (x[:3], weight, bias),
        "little work": (x[:6], weight, bias),
        "small weight": (x.repeat(9, 1), weight[:192], bias[:192]),
        "float64": (x.double(), weight.double(), bias.double()),
        "bfloat16": (x.bfloat16(), weight.bfloat16(), bias.bfloat16()),
        "meta": (x.to("meta"), weight.to("meta"), bias.to("meta")),
    }
    for why, arguments in refused.items():
        assert not takes_onednn(*arguments), why
        assert frozen_linear(*arguments).shape == (len(arguments[0]), len(arguments[1])), why
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not takes_onednn(x, weight, bias)
        assert frozen_linear(x, weight, bias).dtype == torch.bfloat16
    with plain_kernels():
        assert not takes_onednn(x, weight, bias)
    empty = frozen_linear(x[:0], weight, bias)
    assert empty.shape == (0, OUT)


def test_fake_tensors_and_function_transforms_pass():
    from torch._subclasses.fake_tensor import FakeTensorMode

    weight, bias = frozen()
    x = torch.randn(M, IN)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert frozen_linear(mode.from_tensor(x), weight, bias).shape == (M, OUT)

    def loss(one):
        return frozen_linear(one, weight, bias).square().sum()

    each = torch.func.vmap(torch.func.grad(loss))(x[None].expand(2, -1, -1))
    double = [t.double() for t in (x, weight, bias)]
    exact = 2 * F.linear(*double) @ double[1]
    plain = 2 * F.linear(x, weight, bias) @ weight
    assert (each[1] - exact).abs().max() <= float32_bound(plain, exact)


@pytest.fixture
def environment(monkeypatch):
    """``environment(value)``: as if ``NPT_KERNELS`` had been set before the start."""

    def choose(value):
        monkeypatch.setenv("NPT_KERNELS", value)
        kernels._wanted.cache_clear()

    yield choose
    kernels._wanted.cache_clear()


def test_the_environment_can_choose_the_plain_path(environment):
    x, weight = torch.ones(64, 512), torch.ones(512, 512)
    environment("plain")
    assert kernels.kernels() == "plain" and not takes_onednn(x, weight)
    environment("")
    expected = "onednn" if kernels._has_onednn() else "plain"
    assert kernels.kernels() == expected and takes_onednn(x, weight) == (expected == "onednn")


def test_another_choice_is_refused_in_one_sentence(environment, make_trainer, capsys):
    environment("fast")
    sentence = "NPT_KERNELS is 'fast' in the environment; set it to plain .* or unset it"
    with pytest.raises(UserError, match=sentence):
        make_trainer("CoOp")
    doctor.main([])
    assert "PROBLEM: NPT_KERNELS is 'fast'" in capsys.readouterr().out


@needs_onednn
@pytest.mark.parametrize("name, pays", [("AVX512", True), ("AVX2", False), ("DEFAULT", False)])
def test_it_is_used_only_with_the_units_it_is_faster_on(monkeypatch, name, pays):
    monkeypatch.undo()
    monkeypatch.setattr(kernels, "instruction_set", lambda: name)
    kernels._pays.cache_clear()
    try:
        assert kernels._pays() is pays
        assert kernels.kernels() == ("onednn" if pays else "plain")
    finally:
        kernels._pays.cache_clear()


@needs_onednn
@pytest.mark.parametrize("name", ["CoOp", "CoCoOp", "MaPLe", "IVLP"])
@pytest.mark.parametrize("chunk", ["0", "3"])
def test_a_whole_step_is_as_exact_as_on_the_plain_path(make_trainer, name, chunk, monkeypatch):
    """Every product of the small CLIP sent through oneDNN, recomputed chunks too."""
    monkeypatch.setattr(kernels, "_LEAST_WORK", 0)
    monkeypatch.setattr(kernels, "_LEAST_WEIGHT", 0)
    calls, real = [], kernels._product
    monkeypatch.setattr(kernels, "_product", lambda *a: calls.append(a[0].shape) or real(*a))
    trainer = make_trainer(name, "MODEL.TEXT_CHUNK", chunk)
    images, labels = trainer.parse_batch_train(next(iter(trainer.train_loader_x)))
    norm = type(trainer.model.text_encoder.ln_final)  # its own forward goes through float32
    monkeypatch.setattr(norm, "forward", nn.LayerNorm.forward)

    def step():
        terms, outputs = trainer.losses({"img": images, "label": labels})
        learned = list(trainer.model.learned().values())
        found = torch.autograd.grad(terms["ce"], learned)
        return outputs.logits, torch.cat([gradient.flatten() for gradient in found])

    ours, again = step(), step()
    assert calls and all(torch.equal(a, b) for a, b in zip(ours, again, strict=True))
    calls.clear()
    with plain_kernels():
        plain = step()
    trainer.model.double()
    exact = step()
    assert not calls
    for found, expected, true in zip(ours, plain, exact, strict=True):
        assert (found - true).abs().max() <= float32_bound(expected, true)
