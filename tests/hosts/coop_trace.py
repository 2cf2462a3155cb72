"""Train the real CoOp trainer of a CoOp checkout on one engine, and save the trajectory.

Usage: coop_trace.py {dassl,minidassl} FOLDER_WITH_HOSTS WORK_FOLDER OUTPUT_FILE
Nothing of CoOp is changed but the download of CLIP: a small random one takes its place.
"""

import io
import os
import sys
import warnings
from contextlib import redirect_stdout

import engine_trace as common
import torch


def random_clip(_):
    """A CLIP of OpenAI's architecture, two layers deep, the same on every call."""
    from clip.model import CLIP, build_model

    torch.manual_seed(99)
    vision = {"image_resolution": 32, "vision_layers": 2, "vision_width": 64}
    text = {"context_length": 77, "vocab_size": 49408, "transformer_width": 64}
    net = CLIP(64, **vision, vision_patch_size=8, **text, transformer_heads=2, transformer_layers=2)
    return build_model(net.state_dict())


def main():
    warnings.simplefilter("ignore")
    if common.ENGINE == "dassl":
        common.repair_upstream()
    else:
        from minidassl.compat import install_as_dassl

        install_as_dassl()
    host = common.HOSTS / "CoOp"
    sys.path.insert(0, str(host))
    os.chdir(host)
    import trainers.coop

    import train

    trainers.coop.load_clip_to_cpu = random_clip
    common.register_toy()
    cfg = common.config()
    train.extend_cfg(cfg)
    cfg.merge_from_file("configs/trainers/CoOp/vit_b16_ctxv1.yaml")
    cfg.merge_from_list(
        [
            "TRAINER.NAME",
            "CoOp",
            "TRAINER.COOP.PREC",
            "fp32",
            "TRAINER.COOP.CTX_INIT",
            "",
            "TRAINER.COOP.N_CTX",
            4,
            "INPUT.SIZE",
            (32, 32),
            "DATALOADER.NUM_WORKERS",
            1,
            "DATALOADER.TRAIN_X.BATCH_SIZE",
            8,
            "OPTIM.MAX_EPOCH",
            5,
            "TRAIN.PRINT_FREQ",
            1,
            "OUTPUT_DIR",
            str(common.WORK / f"coop_{common.ENGINE}"),
        ]
    )
    common.seed(1)
    steps = []
    with redirect_stdout(io.StringIO()) as log:
        trainer = common.module(".engine").build_trainer(cfg)
        step = trainer.forward_backward

        def recorded(batch):
            summary = step(batch)
            steps.append([*summary.values(), trainer.get_current_lr(), list(batch["impath"])])
            return summary

        trainer.forward_backward = recorded
        trainer.train()
        trainer.load_model(cfg.OUTPUT_DIR, epoch=5)
        accuracy = trainer.test()
    context = trainer.model.prompt_learner.ctx.detach().clone()
    printed = common.masked(log.getvalue(), cfg.OUTPUT_DIR)
    torch.save(
        {"steps": steps, "ctx": context, "accuracy": accuracy, "log": printed}, common.OUTPUT
    )


if __name__ == "__main__":
    main()
