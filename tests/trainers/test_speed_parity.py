"""Every fast path against CLIP's own modules at 77 positions, image by image, class by class."""

import pytest
import torch
import torch.nn.functional as F

from npt_plugin.backbone.loading import load_clip
from npt_plugin.backbone.prompt_layout import PromptLayout, common_start, split_lengths
from npt_plugin.backbone.text_tower import TextTower
from npt_plugin.trainers import BASE_TRAINERS

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
def build(make_trainer, small_clip_file):
    """The model of a case on NAMES, in float64 or float32, and the CLIP below it."""

    def make(case, *options, dtype=torch.float64):
        name = case.split()[0]
        cfg = make_trainer(name, *CASES[case], *options).cfg
        clip = load_clip("", str(small_clip_file)).float()
        torch.manual_seed(3)
        model = BASE_TRAINERS[name].model_class(cfg, NAMES, clip)
        with torch.no_grad():
            for parameter in model.learned().values():
                parameter.normal_(std=0.2)
        for module in clip.modules():
            if isinstance(module, torch.nn.LayerNorm):  # CLIP's own casts to float32
                module.forward = lambda x, of=module: F.layer_norm(
                    x, of.normalized_shape, of.weight, of.bias
                )
        return model.to(dtype), clip.to(dtype)

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
        from npt_plugin.backbone.loading import tokenize

        tokens = tokenize([template.format(n) for n in NAMES])
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


def assert_close(actual, expected, relative):
    assert (actual - expected).abs().max() <= relative * expected.abs().max()


@pytest.mark.parametrize("dtype, close", [(torch.float64, 1e-11), (torch.float32, 1e-5)])
@pytest.mark.parametrize("chunk", ["0", "5"])
@pytest.mark.parametrize("case", CASES)
def test_logits_and_gradients_are_those_of_the_plain_path(build, case, chunk, dtype, close):
    model, clip = build(case, "MODEL.TEXT_CHUNK", chunk, dtype=dtype)
    images = torch.randn(3, 3, 32, 32, dtype=dtype)
    if case in ("VPT", "ZeroshotCLIP"):  # encoded when the model is built, in fp32
        close = max(close, 1e-6)
    expected = plain_logits(case, model, clip, images)
    logits = model(images)
    assert_close(logits, expected, close)
    with torch.inference_mode():
        assert_close(model(images), expected, close)
    if not model.learned():
        return
    plain, ours = gradients(model, expected), gradients(model, logits)
    largest = max(gradient.abs().max() for gradient in plain.values())
    for name, gradient in plain.items():
        assert gradient.abs().max() > 1e-4, name
        assert (ours[name] - gradient).abs().max() <= close * largest, name


def test_many_images_without_a_graph_are_those_of_one_pass(build):
    model, _ = build("CoOp")
    images = torch.randn(19, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(
            model.image_encoder(images), torch.cat([model.image_encoder(i[None]) for i in images])
        )


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
    real = blocks.quick_mlp

    def counted(mlp, x):
        rows.append(x[..., 0].numel())
        return real(mlp, x)

    monkeypatch.setattr(blocks, "quick_mlp", counted)
    model.text_features()
    layout, layers = model.prompt_learner.layout, len(clip.transformer.resblocks)
    tails = sum(n * (length - layout.shared) for n, length in layout.buckets)
    assert sum(rows) == (layers - 1) * (layout.shared + tails) + len(NAMES)


def test_a_start_differing_in_one_vector_is_not_shared_beyond_it():
    ids, eot = torch.tensor([[1, 2, 3, 4, 5, 9], [1, 2, 3, 4, 6, 9]]), torch.tensor([5, 5])
    assert common_start(ids, eot) == 4
    assert common_start(ids[:1], eot[:1]) == 5  # a single class keeps its end of text apart
    assert common_start(ids[:, 1:], torch.tensor([1, 4])) == 0  # ends after 1 position: too short


def test_sharing_a_start_that_differs_would_be_noticed(small_clip):
    prompts, eot = torch.randn(2, 8, 64), torch.tensor([7, 7])
    layout = PromptLayout(torch.zeros(2, 8, dtype=torch.long), eot)
    tower = TextTower(small_clip)
    assert not torch.allclose(tower(prompts, eot, layout=layout), tower(prompts, eot), atol=1e-3)


@pytest.mark.parametrize("lengths", [[3] * 5, [1, 2, 3, 20, 21, 22], [2] * 40 + [9], [1, 70], [4]])
@pytest.mark.parametrize("cost", [0, 5, 32])
def test_split_lengths_is_the_cheapest_of_all_splits(lengths, cost):
    def price(runs):
        return sum(len(run) * run[-1] + cost for run in runs)

    def splits(values):
        yield [values]
        for i in range(1, len(values)):
            for rest in splits(values[i:]):
                yield [values[:i], *rest]

    few = lengths if len(lengths) < 12 else lengths[-8:]
    runs = split_lengths(few, cost)
    assert sum(n for n, _ in runs) == len(few)
    assert sum(n * length + cost for n, length in runs) == min(price(s) for s in splits(few))
