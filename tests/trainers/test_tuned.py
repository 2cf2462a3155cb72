"""Fine-tuned CLIP: it starts as CLIP, learns where it should, and keeps only what it learned."""

import pytest
import torch
from tolerance import DOUBLE
from trainer_checks import assert_same, outputs_of

from npt_plugin.errors import UserError
from npt_plugin.trainers.tuned import FineTunedCLIP
from npt_plugin.tuning.methods import METHODS

NODE = "TRAINER.FINE_TUNE."
TEXT = ("TRAINER.HEAD.NAME", "text")
W, D, LAYERS, RANK = 64, 48, 2, 4
VOCABULARY, CONTEXT, PATCHES = 49408, 77, 16

NORM = 2 * W
BLOCK = 12 * W * W + 13 * W  # 4 W^2 and 4 W of attention, 8 W^2 and 5 W of the MLP, two norms
BOTTLENECK = 2 * W * RANK + W + RANK
COUNTS = {
    "full": (
        LAYERS * BLOCK + 2 * NORM + 3 * 8 * 8 * W + W + (1 + PATCHES) * W + W * D,
        LAYERS * BLOCK + NORM + CONTEXT * W + W * D + VOCABULARY * W,
    ),
    "last_k": (BLOCK + NORM, BLOCK + NORM),
    "bias": (LAYERS * 11 * W + 2 * W, LAYERS * 11 * W + W),
    "ln": ((2 * LAYERS + 2) * NORM, (2 * LAYERS + 1) * NORM),
    "lora": (LAYERS * 2 * RANK * (W + W),) * 2,
    "adapter": (LAYERS * 2 * BOTTLENECK,) * 2,
    "adaptformer": (LAYERS * BOTTLENECK,) * 2,
    "ssf": (LAYERS * 22 * W + 2 * 2 * W, LAYERS * 22 * W + 2 * W),
}
"""Learned numbers of the image and the text tower by the published formulas."""


def tuned(method, towers="image", *more):
    return (
        NODE + "METHOD",
        method,
        NODE + "TOWERS",
        towers,
        NODE + "RANK",
        str(RANK),
        *TEXT,
        *more,
    )


@pytest.fixture
def frozen(make_trainer):
    return outputs_of(make_trainer("ZeroshotCLIP"))


@pytest.mark.parametrize("towers", ["image", "text", "both"])
@pytest.mark.parametrize("method", METHODS)
def test_before_the_first_step_it_is_frozen_clip_bit_for_bit(make_trainer, frozen, method, towers):
    ours = outputs_of(make_trainer("FineTune", *tuned(method, towers)))
    for name in ("logits", "image_features", "text_features"):
        assert torch.equal(getattr(ours, name), getattr(frozen, name)), name


@pytest.mark.parametrize("feature", ["projected", "ln_post"])
@pytest.mark.parametrize("method", METHODS)
def test_under_a_cosine_head_it_starts_as_the_probe(make_trainer, method, feature):
    probe = outputs_of(make_trainer("LinearProbe", "TRAINER.LINEAR_PROBE.FEATURE", feature))
    ours = (NODE + "METHOD", method, NODE + "FEATURE", feature)
    found = outputs_of(make_trainer("FineTune", *ours))
    assert torch.equal(found.logits, probe.logits)
    assert torch.equal(found.image_features, probe.image_features)


@pytest.mark.parametrize("towers", ["image", "text", "both"])
@pytest.mark.parametrize("method", METHODS)
def test_as_many_numbers_learn_as_the_papers_say(prompted, method, towers):
    image, text = COUNTS[method]
    expected = {"image": image, "text": text, "both": image + text}[towers]
    model = prompted("FineTune", *tuned(method, towers))
    assert sum(p.numel() for p in model.learned().values()) == expected
    sides = {name.split(".")[0] for name in model.learned()}
    assert ("image_encoder" in sides) == (towers != "text")
    assert bool(sides - {"image_encoder"}) == (towers != "image")


def test_lift_s_adaptformer_has_a_norm_and_a_scale_more(prompted):
    model = prompted("FineTune", *tuned("adaptformer", "image", NODE + "ADAPTFORMER_FORM", "lift"))
    found = sum(p.numel() for p in model.learned().values())
    assert found == LAYERS * (BOTTLENECK + 2 * W + 1)


@pytest.mark.parametrize("towers", ["image", "both"])
@pytest.mark.parametrize("method", METHODS)
def test_the_gradient_reaches_what_learns_and_nothing_else(make_trainer, method, towers):
    trainer = make_trainer("FineTune", *tuned(method, towers))
    shake(trainer.model)  # what starts behind a factor of 0 would have none
    batch = trainer.on_device(next(iter(trainer.train_loader_x)))
    trainer.set_model_mode("train")
    terms, _ = trainer.losses(batch)
    sum(terms.values()).backward()
    model = trainer.model
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == (name in model.learned()), name
    for name, parameter in model.learned().items():
        assert parameter.grad.abs().sum() > 0, name


def shake(model):
    """Move what was learned away from its start."""
    torch.manual_seed(11)
    with torch.no_grad():
        for parameter in model.learned().values():
            parameter.add_(0.05 * torch.randn_like(parameter))


@pytest.mark.numerics
@pytest.mark.parametrize("pieces", ["2", "4"])
@pytest.mark.parametrize("method", METHODS)
def test_gradients_in_pieces_are_those_of_the_whole_batch(make_trainer, tmp_path, method, pieces):
    """``TRAIN.IMAGE_CHUNKS`` and ``MODEL.TEXT_CHUNK`` compute activations again in backward."""
    found = []
    for more in ((), ("TRAIN.IMAGE_CHUNKS", pieces, "MODEL.TEXT_CHUNK", "1")):
        options = ("DATALOADER.TRAIN_X.BATCH_SIZE", "5", *more)
        output = tmp_path / str(len(more))
        trainer = make_trainer("FineTune", *tuned(method, "both", *options), output=output)
        shake(trainer.model)
        batch = trainer.on_device(next(iter(trainer.train_loader_x)))
        trainer.backward(batch)
        found.append({n: p.grad.clone() for n, p in trainer.model.learned().items()})
    largest = max(plain.abs().max() for plain in found[0].values())
    for name, plain in found[0].items():  # a shift of all keys has a gradient of 0
        assert (found[1][name] - plain).abs().max() <= DOUBLE * largest, name


@pytest.mark.parametrize("towers", ["image", "both"])
@pytest.mark.parametrize("method", METHODS)
def test_a_checkpoint_holds_what_was_learned_and_gives_it_back(prompted, method, towers):
    first = prompted("FineTune", *tuned(method, towers))
    shake(first)
    state = first.checkpoint_state()
    assert {id(p) for p in first.learned().values()} and len(state) == len(first.learned())
    second = prompted("FineTune", *tuned(method, towers))
    second.load_checkpoint_state(state, "a file")
    assert_same(second.checkpoint_state(), state)


def test_a_text_head_names_other_classes(prompted):
    names = ["a b", "c", "d e f", "g", "h"]
    first = prompted("FineTune", *tuned("lora", "both"))
    shake(first)
    other = prompted("FineTune", *tuned("lora", "both"), names=names)
    other.check_classes(first.classnames, "a file")
    other.load_checkpoint_state(first.checkpoint_state(), "a file")
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(other.image_features(images), first.image_features(images))
    both = prompted("FineTune", *tuned("lora", "both"), names=[*first.classnames, *names])
    both.load_checkpoint_state(first.checkpoint_state(), "a file")
    together = both.encode(images).logits
    assert torch.allclose(together[:, 3:], other.encode(images).logits, atol=1e-4)
    assert torch.allclose(together[:, :3], first.encode(images).logits, atol=1e-4)


def test_a_rank_by_the_number_of_classes_is_the_checkpoint_s(prompted):
    many = [f"thing {i}" for i in range(17)]
    options = (NODE + "METHOD", "adaptformer", NODE + "RANK", "0", *TEXT)
    first = prompted("FineTune", *options, names=many)
    assert first.rank == 4  # 17 classes over 2 x 2 layers
    shake(first)
    other = prompted("FineTune", *options)
    assert other.rank == 1
    other.load_checkpoint_state(first.checkpoint_state(), "a file")
    assert other.rank == 4
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(other.image_features(images), first.image_features(images))


@pytest.mark.parametrize("head", ["cosine", "linear"])
def test_a_learned_head_knows_its_own_classes_only(prompted, head):
    model = prompted("FineTune", "TRAINER.HEAD.NAME", head)
    with pytest.raises(UserError, match="cannot name"):
        model.check_classes(["x", "y", "z"], "a file")


def test_the_scale_of_a_text_head_is_the_config_s(prompted):
    model = prompted("FineTune", *tuned("ln"), "TRAINER.HEAD.SCALE", "25.")
    assert model.head_scale == 25
    outputs = model.encode(torch.randn(2, 3, 32, 32))
    cosines = outputs.image_features @ outputs.text_features.t()
    assert torch.allclose(outputs.logits, 25 * cosines, rtol=1e-4, atol=1e-4)


def test_the_clip_it_is_built_on_stays_as_it_was(prompted, small_clip):
    before = {name: tensor.clone() for name, tensor in small_clip.state_dict().items()}
    for method in METHODS:
        shake(prompted("FineTune", *tuned(method, "both")))
    assert_same(small_clip.state_dict(), before)
    assert not any(p.requires_grad for p in small_clip.parameters())


@pytest.mark.parametrize(
    "method, towers, why",
    [(m, "image", "" if METHODS[m].merges else "do not merge") for m in METHODS]
    + [("lora", "both", ""), ("adapter", "both", "do not merge")],
)
def test_what_merges_can_be_exported(prompted, method, towers, why):
    assert why in prompted("FineTune", *tuned(method, towers)).export_obstacle()
    if not why:
        assert prompted("FineTune", *tuned(method, towers)).export_obstacle() == ""


def test_heads_that_are_more_than_a_vector_a_class_do_not_export(prompted):
    linear = prompted("FineTune", NODE + "METHOD", "full", "TRAINER.HEAD.NAME", "linear")
    assert "linear" in linear.export_obstacle()
    before = prompted("FineTune", NODE + "METHOD", "full", NODE + "FEATURE", "ln_post")
    assert "not on CLIP's feature" in before.export_obstacle()


def test_a_resnet_is_tuned_wholly_or_by_its_biases(make_cfg, resnet_clip):
    for method, metric in METHODS.items():
        cfg = make_cfg("FineTune", *tuned(method))
        if metric.needs_blocks:
            with pytest.raises(UserError, match=f"METHOD {method} tunes the blocks of a ViT"):
                FineTunedCLIP(cfg, ["a", "b"], resnet_clip)
        else:
            resnet_clip.requires_grad_(False)
            model = FineTunedCLIP(cfg, ["a", "b"], resnet_clip)
            model.train()
            features = model.image_features(torch.randn(2, 3, 32, 32))
            features.square().sum().backward()
            moved = [n for n, p in model.learned().items() if p.grad is not None]
            assert len(moved) == len(model.learned()) > 10
    cfg = make_cfg("FineTune", *tuned("lora", "text"))
    assert FineTunedCLIP(cfg, ["a", "b"], resnet_clip).learned()
    with pytest.raises(UserError, match="FEATURE ln_post reads the class token of a ViT"):
        FineTunedCLIP(
            make_cfg("FineTune", *tuned("full"), NODE + "FEATURE", "ln_post"), ["a"], resnet_clip
        )
