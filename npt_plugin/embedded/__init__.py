"""The built-in default: a tiny CLIP and drawn few-shot benchmarks; no download needed."""
