"""Transformer blocks on the tokens of a frozen image tower, as in Imbalance-VLM."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from npt_plugin.errors import UserError


class DecoderBlock(nn.Module):
    """Pre-norm block: x + attention(norm(x)), then x + MLP(norm(x)), GELU, no dropout.

    Linear weights start as PyTorch has them, all biases at 0.

    Args:
        width: W.
        heads: Attention heads; divides W.
        hidden: Width of the MLP.
    """

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        for linear in (self.qkv, self.out, self.up, self.down):
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor, keep: int | None = None) -> Tensor:
        """One block.

        Args:
            x: (B, L, W).
            keep: Compute the first ``keep`` positions only, which still see all L; None: all.

        Returns:
            (B, L, W), or (B, keep, W).
        """
        parts = self.qkv(self.norm_1(x)).unflatten(-1, (3, self.heads, -1))  # (B, L, 3, heads, d)
        q, k, v = (part.transpose(1, 2) for part in parts.unbind(2))  # each (B, heads, L, d)
        if keep is not None:
            x, q = x[:, :keep], q[:, :, :keep]
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)  # (B, keep, heads, d)
        x = x + self.out(mixed.flatten(2))  # (B, keep, W)
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class Decoder(nn.Module):
    """Blocks of self-attention over all visual tokens; the class token is the feature.

    Source: the decoder of Imbalance-VLM (Wang et al., IJCV 2024, arXiv:2304.01457): 3 blocks of
    4 heads and MLP ratio 0.5 on the tokens before ``ln_post``. Without queries of its own and
    without cross-attention; the text tower is not part of it.

    Args:
        width: W of the tokens.
        depth: Blocks, at least 1.
        heads: Attention heads; must divide W.
        mlp_ratio: MLP width / W.

    Raises:
        UserError: If the heads do not divide W.
    """

    def __init__(self, width: int, depth: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise UserError(
                f"TRAINER.DECODER.HEADS is {heads}; it must divide the tower's width {width}."
            )
        hidden = max(1, round(mlp_ratio * width))
        self.blocks = nn.ModuleList(DecoderBlock(width, heads, hidden) for _ in range(depth))

    def forward(self, tokens: Tensor) -> Tensor:
        """The class token after all blocks.

        Args:
            tokens: (B, L, W), class token first.

        Returns:
            (B, W); of the last block only this token is computed.
        """
        x = tokens.to(next(self.parameters()).dtype)
        for block in self.blocks[:-1]:
            x = block(x)
        return self.blocks[-1](x, keep=1)[:, 0]
