"""Keys of the trainer ``FineTune``."""

from __future__ import annotations

from npt_plugin.config.key import Key, node

_METHODS = "full, last_k, bias, ln, lora, adapter, adaptformer or ssf"

FINE_TUNE = node(
    "TRAINER.FINE_TUNE",  # docs/fine-tuning.md has the published forms
    Key("METHOD", "adaptformer", _METHODS),
    Key("TOWERS", "image", "image, text or both; text and both need TRAINER.HEAD.NAME text"),
    Key("FEATURE", "projected", "projected (size D) or ln_post (the image tower's width)"),
    Key("LAST_K", 1, "last_k: blocks that learn, counted from the end", least=1),
    Key("RANK", 8, "lora, adapter, adaptformer: bottleneck; 0: LIFT's, by classes", least=0),
    Key("LORA_ALPHA", 1.0, "lora: what is added is this / RANK x B A x"),
    Key("LORA_MAPS", "q, v", "lora: maps of a block, of q, k, v, out, up, down"),
    Key("ADAPTFORMER_FORM", "published", "published, or lift: own LayerNorm, learned scale"),
    Key("ADAPTFORMER_SCALE", 0.1, "adaptformer: scale of the published form"),
    Key("LAYER_DECAY", 1.0, "learning rate of a layer over that of the next; 1: all alike"),
    Key("EMA", 0.0, "decay of the averaged weights that are tested and saved; 0: off"),
    Key("PREC", "amp", "fp32 or amp; for modules beside the weights also fp16, bf16"),
)
