"""Put together the training and the test transform that ``cfg.INPUT`` describes.

Whatever the order of names in the config, training transforms run in the order of ``_TRAIN_STEPS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from yacs.config import CfgNode

from minidassl.data.transforms import noise
from minidassl.data.transforms.interpolation import interpolation_mode
from minidassl.errors import ConfigError
from minidassl.utils import get_most_similar_str_to_a_from_b

Step = tuple[str, Any]
"""A line for the log, and a transform."""


def _vision() -> Any:
    # torchvision takes more than a second to import, so only when a transform is built
    import torchvision.transforms

    return torchvision.transforms


def _shape(node: CfgNode) -> str:
    return f"{node.SIZE[0]}x{node.SIZE[1]}"


def _resize(node: CfgNode) -> Step:
    tfm = _vision().Resize(node.SIZE, interpolation=interpolation_mode(node.INTERPOLATION))
    return f"resize to {_shape(node)}", tfm


def _random_crop(node: CfgNode) -> Step:
    pad = node.CROP_PADDING
    return f"random crop (padding = {pad})", _vision().RandomCrop(node.SIZE, padding=pad)


def _random_resized_crop(node: CfgNode) -> Step:
    size, scale = node.SIZE, node.RRCROP_SCALE
    mode = interpolation_mode(node.INTERPOLATION)
    tfm = _vision().RandomResizedCrop(size, scale=scale, interpolation=mode)
    return f"random resized crop (size={size}, scale={scale})", tfm


def _policy(name: str, text: str) -> Callable[[CfgNode], Step]:
    def make(node: CfgNode) -> Step:
        vision = _vision()
        return text, vision.AutoAugment(getattr(vision.AutoAugmentPolicy, name))

    return make


def _color_jitter(node: CfgNode) -> Step:
    b, c = node.COLORJITTER_B, node.COLORJITTER_C
    s, h = node.COLORJITTER_S, node.COLORJITTER_H
    text = f"color jitter (brightness={b}, contrast={c}, saturation={s}, hue={h})"
    return text, _vision().ColorJitter(brightness=b, contrast=c, saturation=s, hue=h)


def _blur(node: CfgNode) -> Step:
    vision = _vision()
    blur = vision.RandomApply([vision.GaussianBlur(node.GB_K)], p=node.GB_P)
    return f"gaussian blur (kernel={node.GB_K})", blur


def _to_tensor(node: CfgNode) -> Step:
    return "to torch tensor of range [0, 1]", _vision().ToTensor()


def _cutout(node: CfgNode) -> Step:
    n, length = node.CUTOUT_N, node.CUTOUT_LEN
    return f"cutout (n_holes={n}, length={length})", noise.Cutout(n, length)


def _normalize(node: CfgNode) -> Step:
    mean, std = node.PIXEL_MEAN, node.PIXEL_STD
    return f"normalization (mean={mean}, std={std})", _vision().Normalize(mean=mean, std=std)


def _gaussian_noise(node: CfgNode) -> Step:
    mean, std = node.GN_MEAN, node.GN_STD
    return f"gaussian noise (mean={mean}, std={std})", noise.GaussianNoise(mean, std)


def _instance_norm(node: CfgNode) -> Step:
    return "instance normalization", noise.InstanceNormalization()


_TRAIN_STEPS: dict[str, Callable[[CfgNode], Step]] = {
    "random_translation": lambda node: (
        "random translation",
        noise.Random2DTranslation(node.SIZE[0], node.SIZE[1]),
    ),
    "random_crop": _random_crop,
    "random_resized_crop": _random_resized_crop,
    "random_flip": lambda node: ("random flip", _vision().RandomHorizontalFlip()),
    "imagenet_policy": _policy("IMAGENET", "imagenet policy"),
    "cifar10_policy": _policy("CIFAR10", "cifar10 policy"),
    "svhn_policy": _policy("SVHN", "svhn policy"),
    "colorjitter": _color_jitter,
    "randomgrayscale": lambda node: ("random gray scale", _vision().RandomGrayscale(p=node.RGS_P)),
    "gaussian_blur": _blur,
    "to_tensor": _to_tensor,  # always
    "cutout": _cutout,
    "normalize": _normalize,
    "gaussian_noise": _gaussian_noise,
    "instance_norm": _instance_norm,
}

# cropping the centre is what testing does anyway; the name is accepted and adds nothing
AVAI_CHOICES = [name for name in _TRAIN_STEPS if name != "to_tensor"] + ["center_crop"]

_UPSTREAM_ONLY = ("randaugment", "randaugment_fixmatch", "randaugment2")


def _train_steps(node: CfgNode, choices: Sequence[str]) -> Iterator[Step]:
    if not {"random_crop", "random_resized_crop"} & set(choices):
        yield _resize(node)
    for name, make in _TRAIN_STEPS.items():
        if name == "to_tensor" or name in choices:
            yield make(node)


def _test_steps(node: CfgNode, choices: Sequence[str]) -> Iterator[Step]:
    vision, edge = _vision(), max(node.SIZE)
    mode = interpolation_mode(node.INTERPOLATION)
    yield f"resize the smaller edge to {edge}", vision.Resize(edge, interpolation=mode)
    yield f"{_shape(node)} center crop", vision.CenterCrop(node.SIZE)
    yield _to_tensor(node)
    for name in ("normalize", "instance_norm"):
        if name in choices:
            yield _TRAIN_STEPS[name](node)


def _check(choices: Iterable[str]) -> None:
    for choice in choices:
        if choice in _UPSTREAM_ONLY:
            raise ConfigError(
                f"INPUT.TRANSFORMS names {choice!r}, which needs Dassl itself: install it, or take "
                f"from {AVAI_CHOICES}."
            )
        if choice not in AVAI_CHOICES:
            nearest = get_most_similar_str_to_a_from_b(choice, AVAI_CHOICES)
            raise ConfigError(
                f"INPUT.TRANSFORMS names {choice!r}; did you mean {nearest!r}? "
                f"Allowed are {AVAI_CHOICES}."
            )


def build_transform(
    cfg: CfgNode, is_train: bool = True, choices: Sequence[str] | None = None
) -> Any:
    """Make the transform of training or test images, and print its steps.

    Args:
        cfg: The config tree; reads ``INPUT``.
        is_train: With augmentation, or the fixed test transform.
        choices: Names in place of ``INPUT.TRANSFORMS``.

    Returns:
        A transform from a PIL image to a float tensor (3, H, W), or None if ``INPUT.NO_TRANSFORM``.

    Raises:
        ConfigError: (a ValueError) unknown transform or interpolation.
    """
    if cfg.INPUT.NO_TRANSFORM:
        print("Note: no transform is applied!")
        return None
    choices = cfg.INPUT.TRANSFORMS if choices is None else choices
    _check(choices)
    steps = list((_train_steps if is_train else _test_steps)(cfg.INPUT, choices))
    said = ", ".join(text for text, _ in steps)
    print(f"Building transform_{'train' if is_train else 'test'}: {said}")
    return _vision().Compose([transform for _, transform in steps])


def plain_transform(cfg: CfgNode) -> Any:
    """Make the transform without augmentation: resize, tensor, and normalisation if configured.

    Args:
        cfg: The config tree; reads ``INPUT``.

    Returns:
        A transform from a PIL image to a float tensor (3, H, W).
    """
    steps = [_resize(cfg.INPUT), _to_tensor(cfg.INPUT)]
    if "normalize" in cfg.INPUT.TRANSFORMS:
        steps.append(_normalize(cfg.INPUT))
    return _vision().Compose([transform for _, transform in steps])
