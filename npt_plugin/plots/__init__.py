"""Pictures of runs, from their records and kept predictions; needs matplotlib."""
