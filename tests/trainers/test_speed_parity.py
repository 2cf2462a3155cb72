"""Every fast path against CLIP's own modules at 77 positions, image by image, class by class."""

import pytest
import torch
import torch.nn.functional as F
from tolerance import DOUBLE, float32_bound, gap

from npt_plugin.backbone.openai import BytePairs
from npt_plugin.trainers import BASE_TRAINERS

pytestmark = pytest.mark.numerics

SHORT = [f"{a} {b}" for a in ("red", "blue", "grey") for b in ("cat", "dog", "car", "box")]
LONG = ["a very long name of some rare old dog on a boat", "the slow and quiet kite of an aunt"]
NAMES = [*SHORT[:6], LONG[0], *SHORT[6:], "fish", LONG[1], "owl"]

CASES = {
    "CoOp": (),
    "CoOp middle": ("TRAINER.COOP.CLASS_TOKEN_POSITION", "middle", "TRAINER.COOP.N_CTX", "8"),
    "CoOp front": ("TRAINER.COOP.CLASS_TOKEN_POSITION", "front"),
    "CoOp csc": ("TRAINER.COOP.CSC", "True"),
    "CoOp words": ("TRAINER.COOP.CTX_INIT", "a photo of a"),
    "CoCoOp": ("TRAINER.COCOOP.N_CTX", "4"),
    "MaPLe": (),
    "IVLP": (),
    "VPT": (),
    "ZeroshotCLIP": (),
}


@pytest.fixture
def build(make_cfg, small_clip):
    """The model of a case on NAMES, and the CLIP below it."""

    def make(case, *options):
        name = case.split()[0]
        cfg = make_cfg(name, *CASES[case], *options)
        torch.manual_seed(3)
        model = BASE_TRAINERS[name].model_class(cfg, NAMES, small_clip)
        with torch.no_grad():
            for parameter in model.learned().values():
                parameter.normal_(std=0.2)
        return model, small_clip.model

    return make


def plain_text(clip, prompts, eot, deep=()):
    """(K, L, W) prompts filled up to 77 positions, one at a time through CLIP's own layers."""
    pad = clip.token_embedding.weight[0]
    rows = []
    for row, end in zip(prompts, eot, strict=True):
        full = torch.cat([row, pad.expand(77 - len(row), -1)]) + clip.positional_embedding
        x = full.unsqueeze(1)  # (77, 1, W)
        for layer, block in enumerate(clip.transformer.resblocks):
            if 0 < layer <= len(deep):
                prompt = deep[layer - 1].unsqueeze(1)
                x = torch.cat([x[:1], prompt, x[1 + len(prompt) :]])
            x = block(x)
        rows.append(clip.ln_final(x[end, 0]) @ clip.text_projection)
    return torch.stack(rows)


def plain_images(clip, images, shallow=None, deep=()):
    """One image at a time through CLIP's own layers."""
    visual, rows = clip.visual, []
    for image in images:
        x = visual.conv1(image[None]).flatten(2)[0].T
        x = torch.cat([visual.class_embedding[None], x]) + visual.positional_embedding
        x = visual.ln_pre(x if shallow is None else torch.cat([x, shallow])).unsqueeze(1)
        for layer, block in enumerate(visual.transformer.resblocks):
            if 0 < layer <= len(deep):
                prompt = deep[layer - 1].unsqueeze(1)
                x = torch.cat([x[: -len(prompt)], prompt])
            x = block(x)
        rows.append(visual.ln_post(x[0, 0]) @ visual.proj)
    return torch.stack(rows)


def plain_logits(case, model, clip, images):
    unit, scale = (lambda x: F.normalize(x, dim=-1)), clip.logit_scale.exp()
    name, visual = case.split()[0], ()
    if name == "MaPLe":
        visual = model.prompt_learner.visual()
    elif name in ("IVLP", "VPT"):
        visual = (model.visual_prompts.shallow, list(model.visual_prompts.deep))
    seen = unit(plain_images(clip, images, *visual))
    if name in ("VPT", "ZeroshotCLIP"):
        template = "a photo of a {}." if name == "VPT" else "a photo of a {}, a type of pet."
        tokens = BytePairs()([template.format(n) for n in NAMES])
        text = plain_text(clip, clip.token_embedding(tokens), tokens.argmax(-1))
        return scale * seen @ unit(text).T
    learner = model.prompt_learner
    if name == "CoCoOp":
        rows = []
        for one in seen:
            prompts = learner.assemble(learner.ctx + learner.meta_net(one))
            rows.append(scale * one @ unit(plain_text(clip, prompts, learner.eot)).T)
        return torch.stack(rows)
    context = getattr(learner, "context", learner)
    deep = getattr(learner, "compound_prompts_text", getattr(learner, "deep", ()))
    return scale * seen @ unit(plain_text(clip, context(), context.eot, list(deep))).T


def gradients(model, logits):
    weight = torch.linspace(-1, 1, logits.numel(), dtype=logits.dtype).view_as(logits)
    found = torch.autograd.grad((logits * weight).sum(), list(model.learned().values()))
    return dict(zip(model.learned(), found, strict=True))


@pytest.mark.parametrize("chunk", ["0", "5"])
@pytest.mark.parametrize("case", CASES)
def test_logits_and_gradients_are_those_of_the_plain_path(build, case, chunk):
    model, clip = build(case, "MODEL.TEXT_CHUNK", chunk)
    images = torch.randn(3, 3, 32, 32)
    expected, logits = plain_logits(case, model, clip, images), model(images)
    assert gap(logits, expected) <= DOUBLE
    with torch.inference_mode():
        assert gap(model(images), expected) <= DOUBLE
    if not model.learned():
        return
    plain, ours = gradients(model, expected), gradients(model, logits)
    for name, gradient in plain.items():
        assert gradient.abs().max() > 1e-4, name
        assert gap(ours[name], gradient) <= DOUBLE, name


@pytest.mark.numerics(single=True)
@pytest.mark.parametrize("case", CASES)
def test_in_single_precision_it_is_as_exact_as_the_plain_path(build, case, monkeypatch):
    model, clip = build(case)
    monkeypatch.setattr(type(clip.ln_final), "forward", torch.nn.LayerNorm.forward)
    images = torch.randn(3, 3, 32, 32)
    ours, plain = model(images), plain_logits(case, model, clip, images)
    pairs = [(ours, plain)]
    if model.learned():
        found, expected = (list(gradients(model, x).values()) for x in (ours, plain))
        pairs.append([torch.cat([g.flatten() for g in gs]) for gs in (found, expected)])
    exact = plain_logits(case, model.double(), clip.double(), images.double())
    true = [exact]
    if model.learned():
        true.append(torch.cat([g.flatten() for g in gradients(model, exact).values()]))
    for (a, b), c in zip(pairs, true, strict=True):
        assert (a - c).abs().max() <= float32_bound(b, c)


def test_the_common_start_is_shared_and_short_names_are_not_padded_to_long_ones(build):
    coop, _ = build("CoOp words")
    layout = coop.prompt_learner.layout
    assert layout.shared == 5  # start token and "a photo of a"
    assert len(layout.buckets) == 2
    assert sum(n for n, _ in layout.buckets) == len(NAMES)
    assert layout.buckets[0][1] == 5 + 4  # two words, full stop, end
    assert build("CoOp csc")[0].prompt_learner.layout.shared == 0
    assert build("CoOp front")[0].prompt_learner.layout.shared == 0
    assert build("CoOp middle")[0].prompt_learner.layout.shared == 5  # start and 4 of 8 vectors
    assert build("MaPLe")[0].prompt_learner.context.layout.shared == 5


def test_less_is_computed(build, monkeypatch):
    """Token rows that pass through the MLPs, against K x 77 in each layer."""
    import npt_plugin.backbone.blocks as blocks

    model, clip = build("CoOp words")
    rows = []
    real = blocks.block_mlp

    def counted(block, x):
        rows.append(x[..., 0].numel())
        return real(block, x)

    monkeypatch.setattr(blocks, "block_mlp", counted)
    model.text_features()
    layout, layers = model.prompt_learner.layout, len(clip.transformer.resblocks)
    tails = sum(n * (length - layout.shared) for n, length in layout.buckets)
    assert sum(rows) == (layers - 1) * (layout.shared + tails) + len(NAMES)
