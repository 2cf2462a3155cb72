"""Any CLIP behind one interface: loading, both towers, prompts, precision, outputs."""
