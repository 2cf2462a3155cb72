"""Keys of NPT's terms."""

from __future__ import annotations

from npt_plugin.config.key import Key, node

NPT = node(
    "TRAINER.NPT",  # docs/methods.md says how the defaults were chosen
    Key("PRESET", "", "defaults of an earlier version: 0.1 or 0.2"),
    Key("VERSION", "v3", "v3: LC + MI; v2: GD + MI; cpt: clustered terms"),
    Key("BASE", "plugin", "whose base trainer NPT_* extends: plugin (ours) or host"),
    Key("AT", "encoders", "features of a host's trainer the terms act on: encoders or logits"),
    Key("LAMBDA_LC", 10.0, "weight of language-modality collapse (not used by cpt)"),
    Key("LAMBDA_MI", 10.0, "weight of multi-modality isomorphism (not used by cpt)"),
    Key("PRIOR_COUNT", 4.0, "n0 images: class k's part counts n0/(n0 + n_k); 0: fully"),
    Key("UNITS", "logits", "weights count in logits, or in cosines as up to version 0.2: cosine"),
    Key("WARMUP_EPOCH", 0, "epochs over which both weights ramp up linearly; 0: at once"),
    Key("CENTER", True, "subtract the mean over classes, per modality, before the cosines"),
    Key("LC.FORM", "anchored", "etf, nc2, max_angle, anchored or zero_shot"),
    Key("LC.TEMPERATURE", 0.1, "temperature of max_angle"),
    Key("MI.FORM", "pull", "etf, nc3, pull, pull_images or anchored"),
    Key("MI.MOMENTUM", 0.9, "of the running class means; 0: means of the batch only"),
    Key("GD.GAMMA", 0.5, "how strongly v2's pair weights follow 1/n_k; 0 is LC"),
    Key("CPT.LAMBDA_TETF", 0.25, "cpt: weight of the ETF inside each text cluster"),
    Key("CPT.LAMBDA_CC", 0.15, "cpt: weight of class compactness, image to text"),
    Key("CPT.LAMBDA_RS", 0.10, "cpt: weight of staying near the zero-shot text features"),
    Key("CPT.CLUSTERS", 0, "cpt: K-means clusters of zero-shot text; 0: round(sqrt(classes))"),
    Key("CPT.CLUSTER_SEED", 0, "cpt: seed of K-means"),
)
