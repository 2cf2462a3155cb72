"""Keys of trainers with a learned classifier: heads, decoder, GNM-PT, second stages."""

from __future__ import annotations

from npt_plugin.config.key import PREC, Key, node

HEADS = (
    *node(
        "TRAINER.HEAD",  # of Decoder, LinearProbe and GNM_PT
        Key("NAME", "cosine", "text (fixed rows), cosine or linear"),
        Key("INIT", "text", "where cosine and linear rows start: text, mean (of class) or random"),
        Key("SCALE", 0.0, "text and cosine heads: logits = this x cosine; 0: CLIP's own scale"),
    ),
    *node(
        "TRAINER.DECODER",
        Key("DEPTH", 3, "blocks; 0: the head on the plain class token"),
        Key("HEADS", 4, "attention heads; must divide the tower's width"),
        Key("MLP_RATIO", 0.5, "width of a block's MLP over the tower's width"),
        Key("FINAL_NORM", False, "CLIP's ln_post between decoder and head"),
        Key("PREC", "auto", PREC),
    ),
    *node(
        "TRAINER.LINEAR_PROBE",
        Key("FEATURE", "projected", "projected (size D) or ln_post (the tower's width)"),
        Key("PREC", "auto", PREC),
    ),
    *node(
        "TRAINER.GNM_PT",
        Key("N_CTX", 10, "visual prompts in each layer"),
        Key("DROPOUT", 0.1, "on the feature, in training"),
        Key("NORM_PROMPTS", True, "layer-norm prompt outputs too; False: as released"),
        Key("FEATURE", "ln_post", "ln_post (the tower's width) or projected (size D)"),
        Key("PREC", "auto", PREC),
    ),
    *node(
        "TRAINER.TWO_STAGE",
        Key("METHOD", "crt", "crt, lws, disalign or marc"),
        Key("RUN", "", "output folder of the finished first stage of any trainer", path=True),
        Key("SAMPLER", "", "DATALOADER.TRAIN_X.SAMPLER of this stage; empty: the method's own"),
        Key("PREC", "auto", PREC),
    ),
)
