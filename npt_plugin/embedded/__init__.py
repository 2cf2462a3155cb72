"""The built-in default: a tiny CLIP and drawn few-shot benchmarks; no download needed."""

from npt_plugin.embedded.benchmarks import BENCHMARKS, Spec, ensure_benchmarks

__all__ = ["BENCHMARKS", "Spec", "ensure_benchmarks"]
