"""Files, locks, signals, exit codes, progress, memory, random state, safe checkpoints."""
