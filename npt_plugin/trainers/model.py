"""Frozen CLIP with something that learns: what every prompt method builds on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.outputs import PromptOutputs, normalize, scaled_cosines
from npt_plugin.backbone.text_chunks import check_text_chunk
from npt_plugin.errors import UserError
from npt_plugin.trainers.checks import check_image_size, check_pieces


class PromptedCLIP(nn.Module):
    """Both towers of CLIP, frozen; a subclass adds the prompts and says where they go.

    Args:
        cfg: The run's config.
        classnames: K class names.
        clip_model: The backbone in the precision of the run.

    Attributes:
        image_encoder, text_encoder: The towers, under the names hosts and hooks expect.
        learns_image_side: Whether image features depend on learned parameters. Where they do not,
            they are computed without a graph and may be cached.
        pieces: ``TRAIN.IMAGE_CHUNKS``: the batch passes a learning image side in that many pieces,
            each computed again in backward. Whatever the loss, the gradients are those of the
            whole batch; adding up losses of pieces would not give that for terms over class means.
        learns_text_side: The same for the text features.
        text_depends_on_image: Whether every image has its own text features (CoCoOp).
        prec_node: Name of the ``TRAINER`` node that holds this method's ``PREC``.
        other_nodes: Further ``TRAINER`` nodes this model reads.
        checkpoint_name: Folder of the checkpoints, as the public checkout names it.
        feature_kind: Tells features of one tower apart in a cache; "": CLIP's own, unit norm.
        takes_tau_norm: Whether the classifier has norms that tau-normalisation could change.
        shares_zero_shot: Whether it knows ``TEST.ZERO_SHOT_SHARE``.
        features_are_clips: Whether image features are in a space of CLIP's in which texts have a
            place, see ``rows_of_text``.
    """

    learns_image_side = False
    learns_text_side = True
    text_depends_on_image = False
    prec_node = "COOP"
    other_nodes: tuple[str, ...] = ()
    checkpoint_name = "prompt_learner"
    feature_kind = ""
    takes_tau_norm = False
    shares_zero_shot = False
    features_are_clips = True

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__()
        check_image_size(cfg, clip_model)
        check_text_chunk(cfg.MODEL.TEXT_CHUNK)
        self.pieces = check_pieces(cfg.TRAIN.IMAGE_CHUNKS)
        self.image_encoder = clip_model.image_tower()
        self.text_encoder = clip_model.text_tower(cfg.MODEL.TEXT_CHUNK)
        self.logit_scale, self.logit_bias = clip_model.logit_scale, clip_model.logit_bias
        self.requires_grad_(False)  # prompts come later, in the subclass
        self.image_encoder.eval()
        self.text_encoder.eval()

    def image_features(self, images: Tensor) -> Tensor:
        """What ``classify`` takes of images (B, 3, H, W), and what feature caches keep: (B, D).

        Of unit norm; a head that sees the norm gets features as they are, see ``HeadedCLIP``.
        """
        return normalize(self.tower_features(images))

    def tower_features(self, images: Tensor) -> Tensor:
        """Image features (B, D) before normalisation, with a graph only where they learn."""
        if not self.learns_image_side:
            with torch.no_grad():
                return self.encode_images(images)
        if self.pieces == 1 or not torch.is_grad_enabled():
            return self.encode_images(images)
        parts = images.tensor_split(min(self.pieces, len(images)))
        return torch.cat([recomputed(self.encode_images, part) for part in parts])

    @property
    def at_once(self) -> int:
        """Images after which ``image_features`` begins anew, see ``ImageTower.at_once``."""
        tower_alone = type(self).encode_images is PromptedCLIP.encode_images
        return self.image_encoder.at_once if tower_alone else 0

    @property
    def image_side(self) -> nn.Module:
        """Everything image features depend on, beside ``feature_kind``."""
        return self.image_encoder

    def encode_images(self, images: Tensor) -> Tensor:
        """One pass of the image side, (B, D) before normalisation; visual prompts override it."""
        return self.image_encoder(images)

    def text_features(self) -> Tensor:
        """Unit-norm text features (K, D) of the current prompts."""
        raise NotImplementedError

    def prompts_for(self, features: Tensor) -> Tensor:
        """Embeddings (G, K, L, W) of the prompts that images are compared with.

        Only where all that learns goes through the text tower; such runs can train together.

        Args:
            features: (B, D), what ``image_features`` gave; G is 1, or B where every image has its
                own prompts.
        """
        raise NotImplementedError

    def classifier_rows(self) -> Tensor:
        """The classifier (K, D) that a second stage corrects; its rows keep their norms."""
        return self.text_features()

    def rows_of_text(self, text: Tensor) -> Tensor:
        """Text features (K, D) of unit norm as classifier rows for this model's image features."""
        return text

    @property
    def head_scale(self) -> float | None:
        """s where logits are s x cosine; None for a linear classifier."""
        return float(self.logit_scale.detach().exp())

    @property
    def head_bias(self) -> float:
        """What is added to s x cosine: SigLIP's bias; 0 elsewhere."""
        return 0.0 if self.logit_bias is None else float(self.logit_bias.detach())

    def export_obstacle(self) -> str:
        """Why one feature per class does not say all of this classifier; empty where it does."""
        if self.text_depends_on_image:
            return "its text features follow each image"
        return "its image side is learned too" if self.learns_image_side else ""

    def merge_obstacle(self) -> str:
        """Why CLIP with other weights does not hold all that was learned; empty where it may."""
        return "what it learns is no part of CLIP's weights"

    def encode(self, images: Tensor, text: Tensor | None = None) -> PromptOutputs:
        """See one batch through both towers.

        Args:
            images: (B, 3, H, W).
            text: Text features (K, D) computed earlier, as in evaluation; None: compute them.
        """
        return self.classify(self.image_features(images), text)

    def classify(self, features: Tensor, text: Tensor | None = None) -> PromptOutputs:
        """Compare images with the classes.

        Args:
            features: (B, D), what ``image_features`` gave, now or for a cache.
            text: As in ``encode``.
        """
        text = self.text_features() if text is None else text
        logits = scaled_cosines(features, text, self.logit_scale, self.logit_bias)  # (B, K)
        return PromptOutputs(logits, features, text)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, K)."""
        return self.encode(images).logits

    def train(self, mode: bool = True) -> PromptedCLIP:
        """Switch the prompts' mode; the frozen towers stay in eval (a ResNet has BatchNorm)."""
        self.training = mode
        for child in self.children():
            if child is not self.image_encoder and child is not self.text_encoder:
                child.train(mode)
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

    def check_classes(self, names: Sequence[str], source: str) -> None:
        """Refuse a checkpoint that was trained on other classes, where that matters.

        Prompts are words: they take any class. A learned head does not, see ``HeadedCLIP``.

        Args:
            names: Class names the checkpoint was saved with.
            source: Its file, for messages.
        """

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
