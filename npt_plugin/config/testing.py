"""Keys of what is tested beside a run's own result."""

from __future__ import annotations

from npt_plugin.config.key import Key, node

TESTING = node(
    "TEST",
    Key("ENSEMBLE", "", "beside the plain result: crops, flip, texts; + joins, a comma lists"),
    Key("CROP_MARGIN", 0, "crops: pixels beyond INPUT.SIZE; 0: one and a half patches", least=0),
    Key("TEXTS", "", "texts: JSON of templates or of a class's texts; empty: CLIP's 7", path=True),
    ours=True,
)
