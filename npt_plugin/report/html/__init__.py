"""Pieces of the report's page: tables, forest plots, curves; no scripts, no network."""
