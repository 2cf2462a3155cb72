"""Keys of the prompt trainers, one node a method."""

from __future__ import annotations

from npt_plugin.config.key import PREC, Key, node

PROMPT_TRAINERS = (
    *node(
        "TRAINER.COOP",
        Key("N_CTX", 16, "context vectors"),
        Key("CSC", False, "one context per class instead of a shared one"),
        Key("CTX_INIT", "", "words to start from; empty: normal noise, std 0.02"),
        Key("PREC", "fp16", PREC),
        Key("CLASS_TOKEN_POSITION", "end", "end, middle or front"),
        Key("W", 1.0, "KgCoOp: weight of nearness to zero-shot text; 8 in its scripts", least=0),
    ),
    *node(
        "TRAINER.COCOOP",
        Key("N_CTX", 16, "context vectors"),
        Key("CTX_INIT", "", "words to start from; empty: normal noise, std 0.02"),
        Key("PREC", "fp16", PREC),
    ),
    *node(
        "TRAINER.MAPLE",
        Key("N_CTX", 2, "context vectors a layer, coupled in both towers"),
        Key("CTX_INIT", "a photo of a", "words to start from"),
        Key("PREC", "fp16", PREC),
        Key("PROMPT_DEPTH", 9, "layers that get prompts, 1 (shallow) to the tower's depth"),
    ),
    *node(
        "TRAINER.IVLP",
        Key("N_CTX_VISION", 2, "visual prompts a layer"),
        Key("N_CTX_TEXT", 2, "context vectors a layer"),
        Key("CTX_INIT", "a photo of a", "words the text side starts from"),
        Key("PREC", "fp16", PREC),
        Key("PROMPT_DEPTH_VISION", 9, "layers that get visual prompts; 0: no visual side"),
        Key("PROMPT_DEPTH_TEXT", 9, "layers that get text prompts, from 1"),
    ),
    *node(
        "TRAINER.PROMPTSRC",
        Key("N_CTX_VISION", 4, "visual prompts a layer"),
        Key("N_CTX_TEXT", 4, "context vectors a layer"),
        Key("CTX_INIT", "a photo of a", "words the text side starts from"),
        Key("PREC", "fp16", PREC),
        Key("PROMPT_DEPTH_VISION", 9, "layers that get visual prompts; 0: no visual side"),
        Key("PROMPT_DEPTH_TEXT", 9, "layers that get text prompts, from 1"),
        Key("TEXT_LOSS_WEIGHT", 25.0, "of the L1 distance to frozen text features", least=0),
        Key("IMAGE_LOSS_WEIGHT", 10.0, "of the L1 distance to frozen image features", least=0),
        Key("GPA_MEAN", 15.0, "average over epochs: epoch of the largest weight, from 1"),
        Key("GPA_STD", 1.0, "average over epochs: standard deviation in epochs"),
    ),
    *node(
        "LOSS",
        Key("NAME", "", "prograd, or empty, which means the same"),
        Key("T", 1.0, "ProGrad: temperature of both predictions"),
        Key("LAMBDA", 1.0, "ProGrad: how much of the gradient against zero-shot is taken away"),
    ),
    *node(
        "TRAINER.CANDLE",
        Key("SCALE", 0.5, "logits by visual prototypes, over CLIP's logit scale"),
        Key("VIRTUAL_INIT", "text", "start of new names' prototypes: text, or visual (noisy mean)"),
        Key(
            "TEST_TOGETHER", False, "True: test images of a batch look at each other, as published"
        ),
        Key("PREC", "fp16", PREC),
    ),
    *node(
        "TRAINER.VPT",
        Key("N_CTX_VISION", 2, "visual prompts a layer"),
        Key("CTX_INIT", "a photo of a", "not used, as in the public code"),
        Key("PREC", "fp16", PREC),
        Key("PROMPT_DEPTH_VISION", 1, "layers that get prompts, from 1"),
    ),
    *node(
        "TRAINER.ZSCLIP",
        Key("TEMPLATE", "", "prompt with one {}; empty: the one published for the dataset"),
        Key("PREC", "auto", PREC),
    ),
)
