"""A small image dataset on disk and a linear trainer, for the engine's tests."""

import itertools

import numpy as np
import pytest
import torch.nn.functional as F
from minidassl.config import get_cfg_default, tree
from minidassl.data import extension
from minidassl.data.datasets import DATASET_REGISTRY, DatasetBase, Datum
from minidassl.engine import TRAINER_REGISTRY, SimpleTrainer, TrainerX
from minidassl.metrics import compute_accuracy
from minidassl.optim import build_lr_scheduler, build_optimizer
from PIL import Image
from torch import nn


@pytest.fixture(autouse=True)
def nobody_has_joined(monkeypatch):
    """The engine as it is, whatever tests of the plugin have added to it in this process."""
    monkeypatch.setattr(extension, "_extension", extension.LoadingExtension())
    monkeypatch.setattr(SimpleTrainer, "on_build", [])
    monkeypatch.setattr(tree, "_additions", [])


NAMES = ("red", "green", "blue")
_serial = itertools.count()


def draw(path, label, index):
    """A picture whose dominant colour is its class."""
    pixels = np.random.RandomState(97 * label + index).randint(0, 90, (40, 52, 3))
    pixels[:, :, label] += 120
    Image.fromarray(pixels.astype("uint8")).save(path)


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """Lists of samples: 8 train, 2 val and 4 test images of each of 3 classes."""
    folder = tmp_path_factory.mktemp("images")

    def split(name, n):
        samples = []
        for label, index in itertools.product(range(len(NAMES)), range(n)):
            path = folder / f"{name}_{label}_{index}.png"
            draw(path, label, index + 50 * len(name))
            samples.append(Datum(str(path), label, index % 2, NAMES[label]))
        return samples

    return {"train": split("train", 8), "val": split("val", 2), "test": split("test", 4)}


@pytest.fixture
def register(monkeypatch):
    """Register under a fresh name, forgotten after the test."""

    def add(registry, thing):
        name = f"{thing.__name__}{next(_serial)}"
        monkeypatch.setitem(registry._objects, name, thing)
        return name

    return add


class Linear(TrainerX):
    """Softmax regression on pixels."""

    def build_model(self):
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, self.num_classes))
        self.optim = build_optimizer(self.model, self.cfg.OPTIM)
        self.sched = build_lr_scheduler(self.optim, self.cfg.OPTIM)
        self.register_model("linear", self.model, self.optim, self.sched)

    def forward_backward(self, batch):
        images, labels, _ = self.parse_batch_train(batch)
        scores = self.model(images)
        loss = F.cross_entropy(scores, labels)
        self.model_backward_and_update(loss)
        if (self.batch_idx + 1) == self.num_batches:
            self.update_lr()
        return {"loss": loss.item(), "acc": compute_accuracy(scores, labels)[0].item()}


@pytest.fixture
def cfg(images, register, tmp_path):
    """Config of a tiny run on those images with the linear trainer."""

    class Toy(DatasetBase):
        def __init__(self, cfg):
            train = self.generate_fewshot_dataset(images["train"], num_shots=cfg.DATASET.NUM_SHOTS)
            super().__init__(train_x=train, val=images["val"], test=images["test"])

    cfg = get_cfg_default()
    cfg.DATASET.NAME = register(DATASET_REGISTRY, Toy)
    cfg.TRAINER.NAME = register(TRAINER_REGISTRY, Linear)
    cfg.OUTPUT_DIR = str(tmp_path / "out")
    cfg.INPUT.SIZE = (16, 16)
    cfg.INPUT.TRANSFORMS = ("random_resized_crop", "random_flip", "normalize")
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.DATALOADER.TRAIN_X.BATCH_SIZE = 5
    cfg.OPTIM.NAME = "sgd"
    cfg.OPTIM.LR = 0.01
    cfg.OPTIM.MAX_EPOCH = 3
    cfg.OPTIM.LR_SCHEDULER = "cosine"
    cfg.OPTIM.WARMUP_EPOCH = 1
    cfg.OPTIM.WARMUP_TYPE = "constant"
    cfg.TRAIN.PRINT_FREQ = 2
    return cfg
