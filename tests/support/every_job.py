"""Jobs that say little and all there is to say: what a line or a file of them must hold."""

from npt_plugin.sweep.job import Job

JOBS = [
    Job("dtd", "CoOp", "cfg", 3, root="data"),
    Job(
        dataset="imagenet",
        trainer="NPT_MaPLe",
        config="own",
        seed=0,
        ratio=0.06,
        shots=4,
        root="a folder/data",
        options=("OPTIM.LR", "0.1", "DATASET.NAME", "X\nY"),
        protocol="xd",
        backbone="ViT-B/32",
        targets=("dtd", "eurosat"),
        settings=(("OPTIM.LR", "0.01"), ("OPTIM.NAME", "sgd")),
    ),
]
