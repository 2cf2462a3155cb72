"""Run one engine through everything that uses random numbers or prints, and save what came out.

Usage: engine_trace.py {dassl,minidassl} FOLDER_WITH_HOSTS WORK_FOLDER OUTPUT_FILE
Two engines that agree write the same file.
"""

import importlib
import io
import random
import re
import sys
import types
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

ENGINE, HOSTS, WORK, OUTPUT = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]


def module(path=""):
    return importlib.import_module(ENGINE + path)


def repair_upstream():
    """Make Dassl run on a current torch and numpy, in the way its authors' versions did."""
    sys.path.insert(0, str(HOSTS / "Dassl.pytorch"))
    np.int = int
    unused = "dassl.data.datasets.dg.wilds"  # needs packages that nothing here does
    sys.modules[unused] = types.ModuleType(unused)
    schedulers = importlib.import_module("dassl.optim.lr_scheduler")
    base = torch.optim.lr_scheduler.LRScheduler

    def init(self, optimizer, successor, warmup_epoch, last_epoch=-1, verbose=False):
        self.successor, self.warmup_epoch = successor, warmup_epoch
        base.__init__(self, optimizer, last_epoch)

    def state(self):  # without the scheduler object that torch.load refuses
        return {"last_epoch": self.last_epoch}

    schedulers._BaseWarmupScheduler.__init__ = init
    schedulers._BaseWarmupScheduler.state_dict = state


def fingerprint():
    """Next number of each global generator: equal only after equally many draws."""
    return [random.random(), float(np.random.rand()), float(torch.rand(1))]


def seed(value):
    module(".utils").set_random_seed(value)


def make_samples(split, n, n_domain=2, n_class=4):
    datum = module(".data.datasets").Datum
    folder = WORK / "images"
    folder.mkdir(exist_ok=True)
    out = []
    for k in range(n_class):
        for i in range(n + k):
            path = folder / f"{split}_{k}_{i}.png"
            if not path.exists():
                noise = np.random.RandomState(1000 * k + i + 7 * n)
                pixels = noise.randint(0, 255, (36 + 3 * k, 50 - i, 3)).astype("uint8")
                Image.fromarray(pixels).resize((60, 48)).save(path)
            out.append(datum(str(path), k, i % n_domain, f"class {k}"))
    return out


def register_toy():
    datasets = module(".data.datasets")

    class Toy(datasets.DatasetBase):
        def __init__(self, cfg):
            train, val, test = (make_samples(s, n) for s, n in (("tr", 9), ("va", 3), ("te", 4)))
            shots = cfg.DATASET.NUM_SHOTS
            train = self.generate_fewshot_dataset(train, num_shots=shots)
            val = self.generate_fewshot_dataset(val, num_shots=4)
            super().__init__(train_x=train, val=val, test=test)

    datasets.DATASET_REGISTRY.register(Toy)


def config(*options):
    cfg = module(".config").get_cfg_default()
    cfg.DATASET.NAME = "Toy"
    cfg.DATASET.NUM_SHOTS = 8
    cfg.INPUT.SIZE = (32, 32)
    cfg.INPUT.INTERPOLATION = "bicubic"
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.DATALOADER.TRAIN_X.BATCH_SIZE = 6
    cfg.DATALOADER.TRAIN_X.N_INS = 3
    cfg.merge_from_list(list(options))
    return cfg


TRANSFORMS = {
    "coop": ("random_resized_crop", "random_flip", "normalize"),
    "none": ("normalize",),
    "crop": ("random_crop", "random_flip"),
    "shift": ("random_translation", "normalize", "instance_norm"),
    "colour": ("random_flip", "colorjitter", "randomgrayscale", "gaussian_blur", "center_crop"),
    "noise": ("cutout", "gaussian_noise", "normalize"),
}


def trace_batches():
    out = {}
    cases = {name: ("INPUT.TRANSFORMS", value) for name, value in TRANSFORMS.items()}
    coop = cases["coop"]
    cases["views"] = (*coop, "DATALOADER.K_TRANSFORMS", 2, "DATALOADER.RETURN_IMG0", True)
    cases["workers"] = (*coop, "DATALOADER.NUM_WORKERS", 2)
    cases["small"] = (*coop, "DATALOADER.TRAIN_X.BATCH_SIZE", 100)
    for name in ("RandomClassSampler", "RandomDomainSampler", "SeqDomainSampler"):
        cases[name] = (*coop, "DATALOADER.TRAIN_X.SAMPLER", name)
    for name, options in cases.items():
        seed(3)
        log = io.StringIO()
        with redirect_stdout(log):
            manager = module(".data").DataManager(config(*options))
        batches = []
        for loader in (manager.train_loader_x,) * 2 + (manager.val_loader, manager.test_loader):
            batches += [
                {k: (b[k] if k != "impath" else list(b[k])) for k in sorted(b)} for b in loader
            ]
        out[name] = {"log": log.getvalue(), "batches": batches, "rng": fingerprint()}
    return out


def trace_samplers():
    out = {}
    build = module(".data.samplers").build_sampler
    samples = make_samples("s", 2) + make_samples("l", 12)
    for name in (
        "RandomSampler",
        "SequentialSampler",
        "RandomDomainSampler",
        "SeqDomainSampler",
        "RandomClassSampler",
    ):
        seed(5)
        sampler = build(name, data_source=samples, batch_size=8, n_domain=1, n_ins=4)
        length, orders = len(sampler), [[int(i) for i in sampler] for _ in range(3)]
        out[name] = {"length": length, "orders": orders, "rng": fingerprint()}
    few = samples[:5] + samples[20:]
    seed(6)
    sampler = build("RandomClassSampler", data_source=few, batch_size=10, n_ins=9)
    out["filled up"] = [[int(i) for i in sampler] for _ in range(2)] + fingerprint()
    return out


def trace_fewshot():
    out = {}
    base = module(".data.datasets").DatasetBase
    samples = make_samples("l", 12)
    empty = base(train_x=samples, test=samples)
    for shots in (-1, 1, 13, 14, 20):
        for repeat in (False, True):
            seed(1)
            with redirect_stdout(io.StringIO()) as log:
                one = empty.generate_fewshot_dataset(samples, num_shots=shots, repeat=repeat)
                two = empty.generate_fewshot_dataset(
                    samples, samples[10:], num_shots=shots, repeat=repeat
                )
            picked = [[item.impath for item in part] for part in (one, *two)]
            printed = log.getvalue()
            out[f"{shots} {repeat}"] = {"picked": picked, "rng": fingerprint(), "log": printed}
    names = sorted(empty.lab2cname.items())
    out["names"] = [empty.num_classes, names, empty.classnames]
    return out


def trace_optim():
    out = {}
    optim = module(".optim")
    common = ("OPTIM.LR", 0.02, "OPTIM.MAX_EPOCH", 9, "OPTIM.WEIGHT_DECAY", 0.01)
    for name in ("adam", "amsgrad", "sgd", "rmsprop", "radam", "adamw"):
        for staged in (False, True):
            torch.manual_seed(0)
            net = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))
            cfg = config(*common, "OPTIM.NAME", name, "OPTIM.STAGED_LR", staged)
            cfg.OPTIM.NEW_LAYERS = ("2",)
            optimizer = optim.build_optimizer(net, cfg.OPTIM)
            for _ in range(8):
                optimizer.zero_grad()
                F.cross_entropy(net(torch.randn(6, 5)), torch.arange(6) % 3).backward()
                optimizer.step()
            out[f"{name} {staged}"] = torch.cat([p.detach().flatten() for p in net.parameters()])
    for name, step in (
        ("single_step", (4,)),
        ("single_step", (-1,)),
        ("multi_step", (2, 5)),
        ("cosine", (-1,)),
    ):
        for warm, epochs, recount in (
            ("none", -1, True),
            ("constant", 1, True),
            ("linear", 3, True),
            ("constant", 2, False),
            ("linear", 2, False),
        ):
            cfg = config(
                *common,
                "OPTIM.LR_SCHEDULER",
                name,
                "OPTIM.WARMUP_EPOCH",
                epochs,
                "OPTIM.WARMUP_RECOUNT",
                recount,
            )
            cfg.OPTIM.STEPSIZE = step
            cfg.OPTIM.WARMUP_TYPE = "linear" if warm == "none" else warm
            optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=cfg.OPTIM.LR)
            scheduler = optim.build_lr_scheduler(optimizer, cfg.OPTIM)
            rates = []
            for _ in range(12):
                rates.append([optimizer.param_groups[0]["lr"], *scheduler.get_last_lr()])
                optimizer.step()
                scheduler.step()
            out[f"{name} {step} {warm} {recount}"] = rates
    return out


def register_trainer():
    engine = module(".engine")
    optim, metrics = module(".optim"), module(".metrics")

    class Linear(engine.TrainerX):
        def build_model(self):
            self.model = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(3 * 32 * 32, 4))
            self.optim = optim.build_optimizer(self.model, self.cfg.OPTIM)
            self.sched = optim.build_lr_scheduler(self.optim, self.cfg.OPTIM)
            self.register_model("linear", self.model, self.optim, self.sched)

        def forward_backward(self, batch):
            images, labels, _ = self.parse_batch_train(batch)
            scores = self.model(images)
            loss = F.cross_entropy(scores, labels)
            self.model_backward_and_update(loss)
            if (self.batch_idx + 1) == self.num_batches:
                self.update_lr()
            accuracy = metrics.compute_accuracy(scores, labels)[0]
            return {"loss": loss.item(), "acc": accuracy.item()}

    engine.TRAINER_REGISTRY.register(Linear)


def masked(log, folder):
    log = log.replace(str(folder), "OUT")
    log = re.sub(r"(time|data) [\d.]+ \([\d.]+\)", r"\1 T", log)
    return re.sub(r"(eta|Elapsed:?) [\d:]+", r"\1 T", log)


def trace_training(final_model):
    folder = WORK / f"out_{ENGINE}_{final_model}"
    cfg = config(
        "TRAINER.NAME",
        "Linear",
        "INPUT.TRANSFORMS",
        TRANSFORMS["coop"],
        "OUTPUT_DIR",
        str(folder),
        "OPTIM.NAME",
        "sgd",
        "OPTIM.LR",
        0.01,
        "OPTIM.MAX_EPOCH",
        4,
        "OPTIM.LR_SCHEDULER",
        "cosine",
        "OPTIM.WARMUP_EPOCH",
        1,
        "OPTIM.WARMUP_TYPE",
        "constant",
        "TEST.FINAL_MODEL",
        "last_step",
        "TRAIN.PRINT_FREQ",
        2,
        "TRAIN.CHECKPOINT_FREQ",
        2,
        "TEST.PER_CLASS_RESULT",
        True,
        "TEST.COMPUTE_CMAT",
        True,
    )
    cfg.TEST.FINAL_MODEL = final_model
    seed(2)
    with redirect_stdout(io.StringIO()) as log:
        trainer = module(".engine").build_trainer(cfg)
        trainer.train()
        result = trainer.test(split="val")
    weights = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if "events" not in p.name)
    return {
        "log": masked(log.getvalue(), folder),
        "weights": weights,
        "result": result,
        "files": files,
        "newest": (folder / "linear" / "checkpoint").read_text(),
        "rng": fingerprint(),
    }


def trace_numbers():
    metrics, utils = module(".metrics"), module(".utils")
    torch.manual_seed(1)
    scores, labels = torch.randn(30, 7), torch.randint(7, (30,))
    meter = utils.MetricMeter()
    for value in (1.0, torch.tensor(2.5), 0.125):
        meter.update({"loss": value, "acc": 3 * value})
    smooth = utils.AverageMeter(ema=True)
    for value in (1.0, 2.0, 5.0):
        smooth.update(value)
    return {
        "top": [t.item() for t in metrics.compute_accuracy(scores, labels)],
        "shape": list(metrics.compute_accuracy((scores,), labels)[0].shape),
        "meter": str(meter),
        "ema": smooth.avg,
        "params": utils.count_num_param(nn.Linear(3, 4)),
    }


def main():
    warnings.simplefilter("ignore")
    if ENGINE == "dassl":
        repair_upstream()
    register_toy()
    register_trainer()
    cfg = module(".config").get_cfg_default()
    trace = {"config": cfg.dump(), "samplers": trace_samplers(), "fewshot": trace_fewshot()}
    trace |= {"batches": trace_batches(), "optim": trace_optim(), "numbers": trace_numbers()}
    trace |= {f"train {m}": trace_training(m) for m in ("last_step", "best_val")}
    torch.save(trace, OUTPUT)


if __name__ == "__main__":
    main()
