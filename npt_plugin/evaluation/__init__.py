"""Metrics, shot groups, post-hoc adjustment and calibration."""
