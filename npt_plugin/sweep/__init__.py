"""Many runs: jobs of a protocol, and the processes that run them."""
