"""Published tables run again: locked presets, tolerances fixed beforehand, a verdict."""
