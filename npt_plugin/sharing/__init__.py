"""Runs that travel: a folder ready for a model hub, and back."""
