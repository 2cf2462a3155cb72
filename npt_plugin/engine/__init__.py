"""The seam to Dassl: which one is underneath, its registries, its repairs."""
