"""Backbones by name: what is known of each, in one table. Everything in it was looked up.

Parameters are counted in the architecture that the name builds, both towers. A licence is what
the repository or the model's page states; unknown where no such page was at hand.
"""

from __future__ import annotations

from typing import NamedTuple

_VIT = "text and image prompts, heads on tokens, every fine-tuning"
_POOLED = "text and image prompts, fine-tuning on projected features"
_WHOLE = "text prompts, fine-tuning by full or bias"
_OPENAI, _LAION, _WEBLI = "OpenAI", "LAION-2B by open_clip", "WebLI by Google"


class Known(NamedTuple):
    """One backbone.

    Attributes:
        millions: Parameters of both towers.
        pixels: A side of its images.
        source: Who trained it, or on what.
        licence: Of its weights as stated; unknown: not looked up.
        works: What runs on it.
    """

    millions: float
    pixels: int
    source: str
    licence: str
    works: str

    def line(self) -> str:
        """All of it in a line."""
        return (
            f"{self.millions:.4g} M, {self.pixels} px, {self.source}, licence {self.licence}: "
            f"{self.works}"
        )


CATALOGUE = {
    "Tiny": Known(7.8, 48, "comes with this package", "MIT", _VIT),
    "RN50": Known(102.0, 224, _OPENAI, "MIT", _WHOLE),
    "RN101": Known(119.7, 224, _OPENAI, "MIT", _WHOLE),
    "RN50x4": Known(178.3, 288, _OPENAI, "MIT", _WHOLE),
    "RN50x16": Known(291.0, 384, _OPENAI, "MIT", _WHOLE),
    "RN50x64": Known(623.3, 448, _OPENAI, "MIT", _WHOLE),
    "ViT-B/32": Known(151.3, 224, _OPENAI, "MIT", _VIT),
    "ViT-B/16": Known(149.6, 224, _OPENAI, "MIT", _VIT),
    "ViT-L/14": Known(427.6, 224, _OPENAI, "MIT", _VIT),
    "ViT-L/14@336px": Known(427.9, 336, _OPENAI, "MIT", _VIT),
    "open_clip:ViT-B-32/laion2b_s34b_b79k": Known(151.3, 224, _LAION, "MIT", _VIT),
    "open_clip:ViT-B-16/laion2b_s34b_b88k": Known(149.6, 224, _LAION, "MIT", _VIT),
    "open_clip:ViT-L-14/laion2b_s32b_b82k": Known(427.6, 224, _LAION, "unknown", _VIT),
    "open_clip:ViT-H-14/laion2b_s32b_b79k": Known(986.1, 224, _LAION, "unknown", _VIT),
    "open_clip:convnext_base_w/laion2b_s13b_b82k": Known(179.4, 256, _LAION, "unknown", _WHOLE),
    "open_clip:coca_ViT-B-32/laion2b_s13b_b90k": Known(253.6, 224, _LAION, "unknown", _POOLED),
    "open_clip:EVA02-B-16/merged2b_s8b_b131k": Known(149.7, 224, "Merged-2B", "unknown", _WHOLE),
    "open_clip:MobileCLIP-S1/datacompdr": Known(85.0, 256, "DataCompDR", "unknown", _WHOLE),
    "open_clip:ViT-B-16-SigLIP/webli": Known(203.2, 224, _WEBLI, "Apache-2.0", _POOLED),
    "open_clip:ViT-L-16-SigLIP-256/webli": Known(652.2, 256, _WEBLI, "unknown", _POOLED),
    "open_clip:ViT-SO400M-14-SigLIP-384/webli": Known(878.0, 384, _WEBLI, "Apache-2.0", _POOLED),
    "open_clip:ViT-B-16-SigLIP2/webli": Known(375.2, 224, _WEBLI, "unknown", _POOLED),
}
"""Name to what is known; open_clip lists many more."""
