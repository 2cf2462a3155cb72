"""What a machine without a GPU can check of GPU paths: half precision, where tensors live."""

import copy

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from npt_plugin.backbone.precision import Precision
from npt_plugin.trainers import NPT_TRAINERS, base

_OWN_LOOK = ("NPT_Candle", "NPT_PromptSRC")
"""Their losses look at the model themselves, not through ``encode`` alone."""

NAMES = [*sorted(NPT_TRAINERS), "Decoder", "GNM_PT", "LinearProbe", "TwoStage"]
HALVES = {
    "fp16": Precision("fp16", torch.float16),
    "bf16": Precision("bf16", torch.bfloat16),
    "amp": Precision("amp", torch.float32, autocast=True),
}


@pytest.fixture
def needed(first_stages):
    """What a trainer cannot be built without."""

    def options(name):
        run = ("TRAINER.TWO_STAGE.RUN", str(first_stages("MaPLe")))
        return run if name == "TwoStage" else ()

    return options


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", sorted(HALVES))
def test_half_precision_trains_fp32_prompts(make_trainer, needed, monkeypatch, name, precision):
    """On the CPU the trainer itself would choose fp32; here it is made to run in halves."""
    options = needed(name)
    monkeypatch.setattr(base, "resolve_precision", lambda *_: HALVES[precision])
    trainer = make_trainer(name, "OPTIM.LR", "0.002", "OPTIM.MAX_EPOCH", "1", *options)
    if trainer.scaler.is_enabled():  # its usual first factors overflow, and steps are left out
        trainer.scaler = torch.amp.GradScaler(trainer.device.type, init_scale=1.0)
    start = {n: p.detach().clone() for n, p in trainer.model.learned().items()}
    trainer.train()
    for p in trainer.model.learned().values():
        assert p.dtype == torch.float32 and torch.isfinite(p).all()
    assert any(not torch.equal(p, start[n]) for n, p in trainer.model.learned().items())
    if precision != "amp":
        assert trainer.model.text_encoder.dtype == HALVES[precision].tower_dtype


def fake_cuda_tensors() -> bool:
    """Whether this PyTorch makes them without a GPU; 2.6 asks the driver."""
    try:
        with FakeTensorMode():
            return torch.empty(1).to("cuda").device.type == "cuda"
    except RuntimeError:
        return False


@pytest.mark.skipif(not fake_cuda_tensors(), reason="this PyTorch has no fake CUDA without a GPU")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in _OWN_LOOK])
def test_a_whole_step_stays_on_one_cuda_device(make_trainer, needed, name):
    """Forward on fake CUDA tensors: an op that mixes devices or reads a value fails."""
    # the automatic chunk size asks the device for its free memory, once: there is none to ask
    options = ("TRAINER.NPT.MI.MOMENTUM", "0.9", "MODEL.TEXT_CHUNK", "0", *needed(name))
    trainer = make_trainer(name, *options)
    batch = next(iter(trainer.train_loader_x))
    with FakeTensorMode(allow_non_fake_inputs=False) as mode:
        move = lambda t: mode.from_tensor(t).detach().to("cuda")  # noqa: E731
        model = copy.copy(trainer.model)
        values = {n: move(t) for n, t in trainer.model.state_dict(keep_vars=True).items()}
        for n, buffer in trainer.model.named_buffers():
            values[n] = move(buffer)
        for n, p in trainer.model.learned().items():
            values[n] = move(p).requires_grad_()
        terms_of = trainer.objective
        states = {n: move(b) for n, b in terms_of.named_buffers()} if terms_of else {}
        # a second stage holds the towers twice, itself and through the first
        trainer.encode = lambda batch, text=None: torch.func.functional_call(
            _Encode(model),
            {f"model.{n}": v for n, v in values.items()},
            (batch["img"],),
            tie_weights=False,
        )
        if terms_of:
            call = torch.func.functional_call
            trainer.objective = lambda out, y: call(terms_of, states, (out, y))
        trainer.classification_loss = torch.nn.functional.cross_entropy
        trainer.device = torch.device("cuda")
        terms, outputs = trainer.losses({k: move(batch[k]) for k in ("img", "label")})
        loss = sum(terms.values())
        assert loss.device.type == "cuda" and outputs.logits.device.type == "cuda"


class _Encode(torch.nn.Module):
    """``model.encode`` as a module call, which ``functional_call`` needs."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model.encode(images)
