"""Optimisers that look at the neighbourhood of the weights."""
