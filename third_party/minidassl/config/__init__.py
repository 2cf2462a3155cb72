"""The default config tree and its helpers."""

from minidassl.config.tree import clean_cfg, extend_defaults, get_cfg_default

__all__ = ["clean_cfg", "extend_defaults", "get_cfg_default"]
