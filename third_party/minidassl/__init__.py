"""minidassl: an independent engine with the public interface prompt learners expect of Dassl.

Module paths, names, config keys, log lines and the order in which random numbers are drawn follow
Dassl 0.6, so that trainers and datasets written for it run here unchanged; the code is our own.
Importing this package is cheap: torchvision and TensorBoard load when first used.
"""

__version__ = "0.1.0"
