"""CoOp, CoCoOp and MaPLe written plainly from the papers: all 77 positions, loops over images.

Parameter names are those of the public checkpoints. CLIP's own modules do the work.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from npt_plugin.backbone.openai import BytePairs


def unit(x: Tensor) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True)


class TextEncoder(nn.Module):
    def __init__(self, clip_model: nn.Module) -> None:
        super().__init__()
        self.clip = [clip_model]  # in a list: its parameters are not ours

    def forward(self, prompts: Tensor, eot: Tensor, deep: list[Tensor] | None = None) -> Tensor:
        clip_model = self.clip[0]
        x = (prompts + clip_model.positional_embedding).transpose(0, 1)  # (77, N, W)
        for index, block in enumerate(clip_model.transformer.resblocks):
            if deep and 1 <= index <= len(deep):
                x = x.clone()
                for place, vector in enumerate(deep[index - 1]):
                    x[1 + place] = vector
            x = block(x)
        rows = [clip_model.ln_final(x[int(end), n]) for n, end in enumerate(eot)]
        return torch.stack(rows) @ clip_model.text_projection


class ImageEncoder(nn.Module):
    def __init__(self, clip_model: nn.Module) -> None:
        super().__init__()
        self.visual = clip_model.visual

    def forward(
        self, images: Tensor, first: Tensor | None = None, deep: list[Tensor] | None = None
    ) -> Tensor:
        if first is None:
            return self.visual(images)
        vit, n = self.visual, len(first)
        rows = []
        for image in images:  # one by one
            patches = vit.conv1(image[None])[0].flatten(1).T  # (patches, W)
            x = torch.cat([vit.class_embedding[None], patches]) + vit.positional_embedding
            x = vit.ln_pre(torch.cat([x, first]))[:, None]  # (L, 1, W)
            for index, block in enumerate(vit.transformer.resblocks):
                if deep and 1 <= index <= len(deep):
                    x = torch.cat([x[:-n], deep[index - 1][:, None]])
                x = block(x)
            rows.append(vit.ln_post(x[0, 0]) @ vit.proj)
        return torch.stack(rows)


class Words(nn.Module):
    """Tokens of "<prefix> <name>." and their embeddings, the context replaced by ``ctx``."""

    def __init__(self, clip_model: nn.Module, names: list[str], prefix: str, ctx: Tensor) -> None:
        super().__init__()
        self.ctx = nn.Parameter(ctx.clone())
        tokens = BytePairs()([f"{prefix} {name.replace('_', ' ')}." for name in names])
        with torch.no_grad():
            embedding = clip_model.token_embedding(tokens)  # (K, 77, W)
        self.eot = tokens.argmax(dim=1)
        self.register_buffer("token_prefix", embedding[:, :1])
        self.register_buffer("token_suffix", embedding[:, 1 + len(ctx) :])

    def prompts(self, ctx: Tensor) -> Tensor:
        rows = [
            torch.cat([start, ctx, rest])
            for start, rest in zip(self.token_prefix, self.token_suffix, strict=True)
        ]
        return torch.stack(rows)


class Reference(nn.Module):
    """Both encoders under the names hosts use; ``features`` is what a subclass adds."""

    def __init__(self, clip_model: nn.Module) -> None:
        super().__init__()
        self.image_encoder = ImageEncoder(clip_model)
        self.text_encoder = TextEncoder(clip_model)
        self.scale = clip_model.logit_scale.exp().item()
        self.requires_grad_(False)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Unit-norm image features (B, D) and text features (K, D) or (B, K, D)."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        image, text = self.features(images)
        if text.ndim == 2:
            return self.scale * image @ text.T
        return self.scale * torch.stack([t @ i for i, t in zip(image, text, strict=True)])


class ReferenceCoOp(Reference):
    def __init__(self, clip_model: nn.Module, names: list[str], n_ctx: int) -> None:
        super().__init__(clip_model)
        width = clip_model.ln_final.weight.shape[0]
        prefix = " ".join("X" * n_ctx)
        self.prompt_learner = Words(clip_model, names, prefix, 0.02 * torch.randn(n_ctx, width))

    def features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        learner = self.prompt_learner
        text = self.text_encoder(learner.prompts(learner.ctx), learner.eot)
        return unit(self.image_encoder(images)), unit(text)


class ReferenceCoCoOp(Reference):
    def __init__(self, clip_model: nn.Module, names: list[str], n_ctx: int) -> None:
        super().__init__(clip_model)
        width, d = clip_model.ln_final.weight.shape[0], clip_model.visual.output_dim
        prefix = " ".join("X" * n_ctx)
        self.prompt_learner = Words(clip_model, names, prefix, 0.02 * torch.randn(n_ctx, width))
        net = nn.Sequential()
        net.add_module("linear1", nn.Linear(d, d // 16))
        net.add_module("relu", nn.ReLU())
        net.add_module("linear2", nn.Linear(d // 16, width))
        nn.init.ones_(net.linear1.bias)  # rows have norm < 1: no unit is dead, whatever is drawn
        self.prompt_learner.meta_net = net

    def features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        learner = self.prompt_learner
        image = unit(self.image_encoder(images))
        text = []
        for one in image:  # a call of the text encoder for each image
            prompts = learner.prompts(learner.ctx + learner.meta_net(one))
            text.append(unit(self.text_encoder(prompts, learner.eot)))
        return image, torch.stack(text)


class ReferenceMaPLe(Reference):
    def __init__(self, clip_model: nn.Module, names: list[str], n_ctx: int, depth: int) -> None:
        super().__init__(clip_model)
        width, vision = clip_model.ln_final.weight.shape[0], clip_model.visual.conv1.out_channels
        with torch.no_grad():
            words = clip_model.token_embedding(BytePairs()(["a photo of a"]))[0, 1 : 1 + n_ctx]
        learner = self.prompt_learner = Words(clip_model, names, "a photo of a", words)
        learner.proj = nn.Linear(width, vision)
        learner.compound_prompts_text = nn.ParameterList(
            nn.Parameter(0.02 * torch.randn(n_ctx, width)) for _ in range(depth - 1)
        )
        learner.compound_prompt_projections = nn.ModuleList(
            nn.Linear(width, vision) for _ in range(depth - 1)
        )

    def features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        learner = self.prompt_learner
        deep = list(learner.compound_prompts_text)
        visual = [f(p) for f, p in zip(learner.compound_prompt_projections, deep, strict=True)]
        text = self.text_encoder(learner.prompts(learner.ctx), learner.eot, deep)
        image = self.image_encoder(images, learner.proj(learner.ctx), visual)
        return unit(image), unit(text)


def build_reference(method: str, cfg, names: list[str], clip_model: nn.Module) -> Reference:
    clip_model.requires_grad_(False)
    if method == "CoOp":
        return ReferenceCoOp(clip_model, names, cfg.TRAINER.COOP.N_CTX)
    if method == "CoCoOp":
        return ReferenceCoCoOp(clip_model, names, cfg.TRAINER.COCOOP.N_CTX)
    node = cfg.TRAINER.MAPLE
    return ReferenceMaPLe(clip_model, names, node.N_CTX, node.PROMPT_DEPTH)


def public_state(method: str, model: Reference) -> dict[str, Tensor]:
    """What the public checkout saves: the prompt learner, or for MaPLe the whole model."""
    return (model if method == "MaPLe" else model.prompt_learner).state_dict()
