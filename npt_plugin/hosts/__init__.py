"""Inside somebody else's Dassl project: NPT over any trainer, and repairs of old code."""
