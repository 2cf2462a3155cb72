"""What runs the workers of a sweep: this machine, or a cluster."""
