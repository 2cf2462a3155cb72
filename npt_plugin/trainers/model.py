"""Frozen CLIP with something that learns: what every prompt method builds on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from npt_plugin.encoders import ImageTower, TextTower, normalize
from npt_plugin.errors import UserError
from npt_plugin.prompt_outputs import PromptOutputs
from npt_plugin.text_chunks import check_text_chunk


class PromptedCLIP(nn.Module):
    """Both towers of CLIP, frozen; a subclass adds the prompts and says where they go.

    Args:
        cfg: The run's config.
        classnames: K class names.
        clip_model: ``clip.model.CLIP`` in the precision of the run.

    Attributes:
        image_encoder, text_encoder: The towers, under the names hosts and hooks expect.
        learns_image_side: Whether image features depend on learned parameters. Where they do not,
            they are computed without a graph and may be cached.
        pieces: ``TRAIN.ACCUMULATE``: the batch passes a learning image side in that many pieces,
            each computed again in backward. Whatever the loss, the gradients are those of the
            whole batch; adding up losses of pieces would not give that for terms over class means.
        learns_text_side: The same for the text features.
        text_depends_on_image: Whether every image has its own text features (CoCoOp).
        prec_node: Name of the ``TRAINER`` node that holds this method's ``PREC``.
        checkpoint_name: Folder of the checkpoints, as the public checkout names it.
    """

    learns_image_side = False
    learns_text_side = True
    text_depends_on_image = False
    prec_node = "COOP"
    checkpoint_name = "prompt_learner"

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: nn.Module) -> None:
        super().__init__()
        check_image_size(cfg, clip_model)
        check_text_chunk(cfg.MODEL.TEXT_CHUNK)
        self.pieces = check_pieces(cfg.TRAIN.ACCUMULATE)
        self.image_encoder = ImageTower(clip_model.visual)
        self.text_encoder = TextTower(clip_model, chunk=cfg.MODEL.TEXT_CHUNK)
        self.logit_scale = clip_model.logit_scale
        self.requires_grad_(False)  # prompts come later, in the subclass
        if cfg.MODEL.COMPILE:
            if not (cfg.USE_CUDA and torch.cuda.is_available()):
                print("MODEL.COMPILE makes a CPU run slower (docs/speed.md): better leave it off")
            self.image_encoder.compile()
            self.text_encoder.compile()

    def image_features(self, images: Tensor) -> Tensor:
        """Unit-norm image features (B, D) of images (B, 3, H, W).

        Features (B, D) from a cache pass through unchanged.
        """
        if images.ndim == 2:
            return images
        if not self.learns_image_side:
            with torch.no_grad():
                return normalize(self.encode_images(images))
        if self.pieces == 1 or not torch.is_grad_enabled():
            return normalize(self.encode_images(images))
        parts = images.tensor_split(min(self.pieces, len(images)))
        return normalize(torch.cat([recomputed(self.encode_images, part) for part in parts]))

    def encode_images(self, images: Tensor) -> Tensor:
        """Image features (B, D) before normalisation; overridden by visual prompts."""
        return self.image_encoder(images)

    def text_features(self) -> Tensor:
        """Unit-norm text features (K, D) of the current prompts."""
        raise NotImplementedError

    def encode(self, images: Tensor, text: Tensor | None = None) -> PromptOutputs:
        """See one batch through both towers.

        Args:
            images: (B, 3, H, W), or cached features (B, D).
            text: Text features (K, D) computed earlier, as in evaluation; None: compute them.
        """
        image = self.image_features(images)
        text = self.text_features() if text is None else text
        logits = self.logit_scale.exp() * image @ text.t()  # (B, K)
        return PromptOutputs(logits, image, text)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, K)."""
        return self.encode(images).logits

    def train(self, mode: bool = True) -> PromptedCLIP:
        """Switch the prompts' mode; the frozen towers stay in eval (a ResNet has BatchNorm)."""
        super().train(mode)
        self.image_encoder.eval()
        self.text_encoder.eval()
        return self

    def learned(self) -> dict[str, nn.Parameter]:
        """The parameters that train, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def checkpoint_key(self, name: str) -> str:
        """The key under which a learned parameter stands in the public checkpoints."""
        return name.removeprefix("prompt_learner.")

    def checkpoint_state(self) -> dict[str, Tensor]:
        """Learned tensors only, under the keys the public checkout reads."""
        return {self.checkpoint_key(n): p.detach().clone() for n, p in self.learned().items()}

    def load_checkpoint_state(self, state: Mapping[str, Tensor], source: str) -> list[str]:
        """Copy learned tensors from a checkpoint, ours or a public checkout's.

        Other keys (fixed token vectors, the frozen towers) are ignored.

        Args:
            state: The checkpoint's ``state_dict``.
            source: Where it came from, for messages.

        Returns:
            The keys that were loaded.

        Raises:
            UserError: If a learned tensor is missing or has another shape; it is named.
        """
        found = {}
        for name, parameter in self.learned().items():
            key = self.checkpoint_key(name)
            if key not in state:
                raise UserError(
                    f"{source} has no {key!r}: it was not saved by this method with this config "
                    f"(it holds {', '.join(sorted(state)[:6]) or 'nothing'})."
                )
            if state[key].shape != parameter.shape:
                raise UserError(
                    f"{source}: {key!r} has shape {tuple(state[key].shape)}, this run needs "
                    f"{tuple(parameter.shape)}; use the config and backbone it was trained with."
                )
            found[key] = (parameter, state[key])
        with torch.no_grad():
            for parameter, value in found.values():
                parameter.copy_(value)
        return list(found)


def recomputed(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """``function(*inputs)`` without keeping its graph: backward computes it again."""
    return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)


def check_pieces(value: int) -> int:
    """``TRAIN.ACCUMULATE``, at least 1.

    Raises:
        UserError: below 1.
    """
    if value < 1:
        raise UserError(
            f"TRAIN.ACCUMULATE is {value}; it is the number of pieces of a batch, 1 or more."
        )
    return value


def check_image_size(cfg: Any, clip_model: nn.Module) -> None:
    """Refuse images of a size the backbone cannot take.

    Raises:
        UserError: If ``INPUT.SIZE`` is not the backbone's input resolution.
    """
    wanted = clip_model.visual.input_resolution
    if tuple(cfg.INPUT.SIZE) != (wanted, wanted):
        raise UserError(
            f"INPUT.SIZE is {tuple(cfg.INPUT.SIZE)}, but {cfg.MODEL.BACKBONE.NAME} takes images of "
            f"({wanted}, {wanted}): set INPUT.SIZE to that."
        )
