"""Runs inside a host checkout: the host's trainers beside ours, numbers to a JSON file.

python parity_job.py WORLD OUT METHOD...
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import torch

WORLD, OUT, METHODS = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
STEPS, EPOCH = 20, 5
beside = [str(path) for path in Path.cwd().parent.glob("Dassl.ProGrad*")]  # two hosts' own Dassl
sys.path[:0] = [str(Path.cwd()), str(Path(__file__).resolve().parents[1] / "support"), *beside]

import npt_plugin.engine.framework  # noqa: E402, F401, I001  first: Dassl may need it to import at all
import datasets.oxford_pets  # noqa: E402, F401
import host_world  # noqa: E402
from double import replacements  # noqa: E402

for module in ("cocoop", "coop", "independentVL", "maple", "vpt", "kgcoop", "prograd", "promptsrc"):
    if Path("trainers", f"{module}.py").is_file():
        import_module(f"trainers.{module}")
from dassl.config import get_cfg_default  # noqa: E402
from dassl.engine import TRAINER_REGISTRY  # noqa: E402
from dassl.utils import set_random_seed  # noqa: E402

import npt_plugin  # noqa: E402
from npt_plugin.datasets.names import reader  # noqa: E402
from npt_plugin.runs.settings import merge_file  # noqa: E402
from npt_plugin.trainers import BASE_TRAINERS, NPT_TRAINERS  # noqa: E402

FILES = {
    "CoOp": "CoOp/vit_b16",
    "CoCoOp": "CoCoOp/vit_b16_c4_ep10_batch1_ctxv1",
    "MaPLe": "MaPLe/vit_b16_c2_ep5_batch4_2ctx",
    "VPT": "VPT/vit_b16_c2_ep5_batch4_4",
    "IVLP": "IVLP/vit_b16_c2_ep5_batch4_2+2ctx",
    "KgCoOp": "KgCoOp/vit_b16_ep100_ctxv1",
    "ProGrad": "ProGrad/rn50_ep100",
    "PromptSRC": "PromptSRC/vit_b16_c2_ep20_batch4_4+4ctx",
}
NODES = {"KgCoOp": "COOP", "ProGrad": "COOP"}
"""Nodes of other names than their methods'."""

MORE = {
    "KgCoOp": {"TRAINER__COOP__W": 8.0},
    "ProGrad": {"TRAINER__COOP__N_CTX": 16, "LOSS__T": 2.0, "LOSS__LAMBDA": 0.8},
    "PromptSRC": {"OPTIM__MAX_EPOCH": 4, "TRAINER__PROMPTSRC__GPA_MEAN": 3.0},
}
"""PromptSRC's average over epochs is compared too: after its last one."""

VARIANTS = {
    "CoOp": [
        {"CLASS_TOKEN_POSITION": "middle"},
        {"CLASS_TOKEN_POSITION": "front", "N_CTX": 5},
        {"CSC": True, "CLASS_TOKEN_POSITION": "middle", "N_CTX": 3},
        {"CTX_INIT": "a_photo_of_a"},
    ],
    "CoCoOp": [{"CTX_INIT": "", "N_CTX": 3}],
    "MaPLe": [{"N_CTX": 4, "PROMPT_DEPTH": 1}, {"N_CTX": 6}],
    "VPT": [],
    "IVLP": [{"PROMPT_DEPTH_VISION": 0, "N_CTX_TEXT": 4}],
    "KgCoOp": [{"CTX_INIT": "", "N_CTX": 4, "CSC": True}],
    "ProGrad": [{"CTX_INIT": "", "N_CTX": 4}, {"N_CTX": 8}],
    "PromptSRC": [{"PROMPT_DEPTH_VISION": 1, "N_CTX_TEXT": 2}],
}


def node_of(method):
    return f"TRAINER__{NODES.get(method, method.upper())}"


def config(method, **keys):
    cfg = npt_plugin.extend_cfg(get_cfg_default())
    cfg.merge_from_file("configs/datasets/oxford_pets.yaml")
    merge_file(cfg, f"configs/trainers/{FILES[method]}.yaml")
    base = {"DATASET__ROOT": WORLD / "data", "SEED": 1, "TRAINER__NAME": method}
    base |= {"DATASET__SUBSAMPLE_CLASSES": "base", "OPTIM__LR": 0.01, "OPTIM__MAX_EPOCH": 6}
    base |= {f"{node_of(method)}__PREC": "fp32", "TRAINER__MAPLE__PROMPT_DEPTH": 2}
    base |= {f"TRAINER__{m}__PROMPT_DEPTH_VISION": 2 for m in ("VPT", "IVLP", "PROMPTSRC")}
    base |= {f"TRAINER__{m}__PROMPT_DEPTH_TEXT": 2 for m in ("IVLP", "PROMPTSRC")}
    base |= MORE.get(method, {})
    cfg.merge_from_list(host_world.options(**{**base, **keys}))
    cfg.freeze()
    return cfg


def build(trainer_class, cfg):
    set_random_seed(1)
    trainer = trainer_class(cfg)
    trainer.num_batches = EPOCH
    trainer.before_epoch()
    return trainer


def batches(trainer):
    """The same images for both sides, whoever loads them."""
    images, labels = [], []
    for batch in trainer.test_loader:
        images.append(batch["img"])
        labels.append(batch["label"])
    images, labels = torch.cat(images), torch.cat(labels)
    generator = torch.Generator().manual_seed(3)
    for _ in range(STEPS):
        rows = torch.randperm(len(images), generator=generator)[:4]
        yield {"img": images[rows], "label": labels[rows]}


def train(trainer, steps=STEPS, ours=False):
    trainer.set_model_mode("train")
    history = []
    for index, batch in enumerate(list(batches(trainer))[:steps]):
        trainer.batch_idx = index % EPOCH
        summary = trainer.forward_backward(batch)
        history.append({name: float(value) for name, value in summary.items()})
        if ours and trainer.batch_idx + 1 == EPOCH:
            trainer.update_lr()
            if trainer.epoch_average is not None:
                trainer.epoch_average.epoch_done(index // EPOCH, trainer.model.learned())
    return history


@torch.no_grad()
def logits(trainer):
    trainer.set_model_mode("eval")
    return torch.cat([trainer.model_inference(b["img"]) for b in trainer.test_loader])


def state(trainer):
    """The whole state a host's checkpoint holds, without a prefix."""
    (model,) = trainer._models.values()
    return {name: value.clone() for name, value in model.state_dict().items()}


def relative(a, b):
    return float((a - b).abs().max() / b.abs().max())


def difference(ours, host):
    """Largest difference of a learned tensor, relative to its largest entry."""
    theirs = state(host)
    own = ours.model.checkpoint_state()
    return max(relative(value, theirs[key]) for key, value in own.items())


def moved(host, before):
    return max(relative(value, before[key]) for key, value in state(host).items())


def compare(method):
    cfg = config(method)
    host, ours = build(TRAINER_REGISTRY.get(method), cfg), build(BASE_TRAINERS[method], cfg)
    out = {"start": difference(ours, host)}
    ours.model.load_checkpoint_state(state(host), "the host")
    out["logits"] = relative(logits(ours), logits(host))
    before = state(host)
    theirs, mine = train(host), train(ours, ours=True)
    pairs = list(zip(theirs, mine, strict=True))
    out["losses"] = [[a["loss"] if "loss" in a else a["xe_loss"], b["loss"]] for a, b in pairs]
    out["general"] = [[a["kl_loss"], b["kl"]] for a, b in pairs if "kl_loss" in a]
    out["final"], out["moved"] = difference(ours, host), moved(host, before)
    out["lr"] = [host.get_current_lr(), ours.get_current_lr()]
    out["final_logits"] = relative(logits(ours), logits(host))
    out |= exchange(method, cfg, host, ours)
    out |= npt(method, host)
    out["variants"] = [variant(method, keys) for keys in VARIANTS[method]]
    return out


def variant(method, keys):
    """Same start from one seed, and the same logits, under other settings of the method."""
    cfg = config(method, **{f"{node_of(method)}__{k}": v for k, v in keys.items()})
    host, ours = build(TRAINER_REGISTRY.get(method), cfg), build(BASE_TRAINERS[method], cfg)
    start = difference(ours, host)
    train(host, 2)
    ours.model.load_checkpoint_state(state(host), "the host")
    return [str(keys), start, relative(logits(ours), logits(host))]


def exchange(method, cfg, host, ours):
    folder = WORLD / "exchange" / method
    host.save_model(4, str(folder / "host"))
    ours.save_model(4, str(folder / "ours"))
    fresh, fresh_host = BASE_TRAINERS[method](cfg), TRAINER_REGISTRY.get(method)(cfg)
    fresh.load_model(str(folder / "host"), epoch=5)
    fresh_host.load_model(str(folder / "ours"), epoch=5)
    new = config(method, DATASET__SUBSAMPLE_CLASSES="all")
    wide, wide_host = BASE_TRAINERS[method](new), TRAINER_REGISTRY.get(method)(new)
    wide.load_model(str(folder / "host"), epoch=5)
    wide_host.load_model(str(folder / "host"), epoch=5)
    size = {p.parents[1].name: p.stat().st_size for p in folder.glob("*/*/model.pth.tar-5")}
    return {
        "host_to_ours": relative(logits(fresh), logits(host)),
        "ours_to_host": relative(logits(fresh_host), logits(ours)),
        "other_classes": relative(logits(wide), logits(wide_host)),
        "bytes": size,
    }


def npt(method, plain):
    """The wrapped host trainer against our NPT trainer, and with all weights 0 against the host."""
    if method == "VPT":
        return {}
    cfg = config(method, TRAINER__NPT__BASE="host", TRAINER__NPT__MI__MOMENTUM=0.5)
    mine = build(NPT_TRAINERS[f"NPT_{method}"], config(method, TRAINER__NPT__MI__MOMENTUM=0.5))
    wrapped = build(TRAINER_REGISTRY.get(f"NPT_{method}"), cfg)
    mine.model.load_checkpoint_state(state(wrapped), "the host")
    theirs, ours = train(wrapped, 10), train(mine, 10, ours=True)
    off = config(
        method, TRAINER__NPT__BASE="host", TRAINER__NPT__LAMBDA_LC=0.0, TRAINER__NPT__LAMBDA_MI=0.0
    )
    without = build(TRAINER_REGISTRY.get(f"NPT_{method}"), off)
    train(without)
    same = all(torch.equal(v, state(without)[k]) for k, v in state(plain).items())
    return {
        "npt_final": difference(mine, wrapped),
        "npt_terms": [
            [[a[name], b[name]] for name in ("lc", "mi")] for a, b in zip(theirs, ours, strict=True)
        ],
        "npt_class": [type(wrapped).__name__, type(wrapped).__module__],
        "off_is_host": same,
        "off_hooks": len(without.model.text_encoder._forward_hooks),
    }


def shots():
    """Chosen images by the host's reader and by ours, for some seeds."""
    found = {}
    for seed in (1, 2, 3):
        for half in ("all", "base", "new"):
            keys = {"SEED": seed, "DATASET__SUBSAMPLE_CLASSES": half, "DATASET__NUM_SHOTS": 2}
            cfg = config(METHODS[0], **keys)
            set_random_seed(seed)
            sides = [reader("OxfordPets")(cfg), datasets.oxford_pets.OxfordPets(cfg)]
            names = [[Path(i.impath).name for i in side.train_x] for side in sides]
            found[f"{seed} {half}"] = names
    return found


npt_plugin.register()
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
for place in replacements():
    setattr(*place)
result = {method: compare(method) for method in METHODS}
result["shots"] = shots()
Path(OUT).write_text(json.dumps(result))
