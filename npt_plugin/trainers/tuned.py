"""CLIP whose own towers learn: the model of ``FineTune``."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from npt_plugin.backbone.interface import Backbone
from npt_plugin.backbone.loading import backbone_name
from npt_plugin.backbone.outputs import PromptOutputs, normalize
from npt_plugin.backbone.tokens import class_token
from npt_plugin.trainers.checks import require_vit
from npt_plugin.trainers.headed import HeadedCLIP, check_feature
from npt_plugin.trainers.model import PromptedCLIP
from npt_plugin.trainers.named_text import NamedText
from npt_plugin.trainers.zeroshot import template_of
from npt_plugin.tuning.merge import plain_state
from npt_plugin.tuning.methods import METHODS
from npt_plugin.tuning.places import Places, image_places, text_places
from npt_plugin.tuning.rank import automatic_rank


class FineTunedCLIP(HeadedCLIP):
    """CLIP with one or both towers tuned by one method, and a head on the image feature.

    A text head is zero-shot CLIP's classifier: where the text tower learns, its rows are computed
    anew in every step; they name any class. Before the first step all outputs are those of frozen
    CLIP, bit for bit. Towers that learn are copies: the CLIP this is built on stays as it was.

    Attributes:
        named_text: The class names' sentences, where the text tower learns.
        places: The towers that learn.
        rank: Of the modules in the blocks; 0 where there are none.
    """

    prec_node = "FINE_TUNE"
    features_are_clips = True

    def __init__(self, cfg: Any, classnames: Sequence[str], clip_model: Backbone) -> None:
        super().__init__(cfg, classnames, clip_model)
        node = cfg.TRAINER.FINE_TUNE
        self.node, self.method = node, METHODS[node.METHOD]
        self.projected = check_feature("TRAINER.FINE_TUNE.FEATURE", node.FEATURE)
        self.feature_kind = f"not normalised, {node.FEATURE}"
        self._check_tower(cfg)
        self.add_head(cfg, clip_model, self.projected)
        self.learns_image_side = node.TOWERS in ("image", "both")
        if self.learns_image_side:
            self.image_encoder = copy.deepcopy(self.image_encoder)
        self.named_text = None
        if node.TOWERS in ("text", "both"):
            self.text_encoder = copy.deepcopy(self.text_encoder)
            self.named_text = copy.deepcopy(NamedText(clip_model, classnames, template_of(cfg)))
            self.learns_text_side = True
        if cfg.TRAINER.HEAD.NAME == "text" and cfg.TRAINER.HEAD.SCALE:
            scale = torch.tensor(math.log(cfg.TRAINER.HEAD.SCALE))
            self.logit_scale = nn.Parameter(scale, requires_grad=False)
        self.rank = self._first_rank()
        self._tune()

    def _check_tower(self, cfg: Any) -> None:
        tower, name = self.image_encoder, backbone_name(cfg)
        if self.method.needs_blocks and self.node.TOWERS != "text":
            needs = f"TRAINER.FINE_TUNE.METHOD {self.node.METHOD} tunes the blocks"
            require_vit(tower.obstacle, needs, name, "METHOD full or bias")
            if not self.method.own_weights:
                needs = f"TRAINER.FINE_TUNE.METHOD {self.node.METHOD} puts modules into the blocks"
                instead = "METHOD full, last_k, bias or ln, or TOWERS text"
                require_vit(tower.takes_no_modules, needs, name, instead)
        if not self.projected:
            instead = "TRAINER.FINE_TUNE.FEATURE projected"
            require_vit(
                tower.no_class_token, "FEATURE ln_post reads the class token", name, instead
            )

    @property
    def places(self) -> list[Places]:
        """The towers that learn."""
        found = [image_places(self.image_encoder)] if self.learns_image_side else []
        if self.named_text is not None:
            found.append(text_places(self.text_encoder, self.named_text.token_table))
        return found

    def _first_rank(self) -> int:
        if not self.method.takes_rank:
            return 0
        layers = len(self.places[0].blocks)
        return self.node.RANK or automatic_rank(len(self.classnames), layers)

    def _tune(self) -> None:
        for places in self.places:
            self.method.apply(places, self.node, self.rank)

    # -- what it computes ------------------------------------------------------------------------

    def encode_images(self, images: Tensor) -> Tensor:
        """CLIP's feature (B, D), or the layer-normed class token (B, W)."""
        if self.projected:
            return self.image_encoder(images)
        return self.image_encoder.norm(class_token(self.image_encoder, images))

    def classify(self, features: Tensor, text: Tensor | None = None) -> PromptOutputs:
        """As the head does; with a text head as zero-shot CLIP does."""
        if not self.head.names_new_classes:
            return super().classify(features, text)
        text = self.text_features() if text is None else text
        return PromptedCLIP.classify(self, normalize(features.float()), text.float())

    def text_features(self) -> Tensor:
        """Unit-norm class vectors (K, D): of the text tower as it is now, or the head's rows."""
        if self.named_text is not None:
            return self.named_text(self.text_encoder)
        return self.head.rows() if self.head.names_new_classes else super().text_features()

    # -- what is kept of it ----------------------------------------------------------------------

    def export_obstacle(self) -> str:
        """What does not merge into CLIP's weights, or a head that is more than a vector a class."""
        if self.head.scale is None:
            return "its head is linear"
        if not self.projected:
            return "its head is not on CLIP's feature"
        return self.merge_obstacle()

    def merge_obstacle(self) -> str:
        """Modules that stand beside the maps of a block have no place in CLIP's weights."""
        return "" if self.method.merges else "its modules do not merge into CLIP's weights"

    def merge_into(self, clip_model: Backbone) -> None:
        """Put the towers as they are now into a CLIP of the same family, in place."""
        clip_model.image_tower().load_state_dict(plain_state(self.image_encoder))
        clip_model.text_tower().load_state_dict(plain_state(self.text_encoder))
        if self.named_text is not None:
            clip_model.token_table.load_state_dict(self.named_text.token_table.state_dict())

    def load_checkpoint_state(self, state: Mapping[str, Tensor], source: str) -> list[str]:
        """Copy learned tensors; where ``RANK`` is 0, the rank is the checkpoint's.

        The rank then follows the number of classes, and a text head may be tested on others.
        """
        rank = self._rank_in(state)
        if self.method.takes_rank and not self.node.RANK and rank not in (0, self.rank):
            self.rank = rank
            self._tune()
        return super().load_checkpoint_state(state, source)

    def _rank_in(self, state: Mapping[str, Tensor]) -> int:
        """Rank of the modules in a checkpoint; 0 where it has none."""
        ends = (".a", ".inner.down.weight")
        return next((len(t) for name, t in state.items() if name.endswith(ends)), 0)
