"""What is read in a project's source, on sources that do and do not show it."""

from __future__ import annotations

import pytest
from edge_trainers import Projecting
from reference_trainers import HostCoOp

from npt_plugin.hosts import signs


class Helped:
    def forward_backward(self, batch):
        if self.prec == "amp":
            self.scaler.scale(1).backward()
        else:
            self.model_backward_and_update(1)

    def model_backward_and_update(self, loss):
        loss.backward()


class Guided(Helped):
    def forward_backward(self, batch):
        self.guided_backward_and_update(1, 2)

    def guided_backward_and_update(self, a, b):
        a.backward()
        b.backward()


class Looping(Helped):
    def forward_backward(self, batch):
        for loss in batch:
            loss.backward()


@pytest.mark.parametrize(
    "trainer, passes", [(Helped, 1), (Guided, 2), (Looping, 2), (HostCoOp, 1), (Projecting, 2)]
)
def test_backward_passes_are_those_of_one_branch(trainer, passes):
    assert signs.backward_passes(trainer) == passes


class Inheriting(Guided):
    """Has no step of its own."""


def test_a_class_that_inherits_its_step_is_described(tmp_path):
    watch = signs.watch_list(Inheriting, [], tmp_path)
    assert any("several backward passes" in note for note in watch)
    assert "takes its batch apart itself" in watch


MODEL = """
class Model:
    def forward(self, image):
        image_features = self.image_encoder(image)
        text_features = self.text_encoder(self.prompt_learner(image_features), 1)
        {line}
        return self.scale * x @ text_features.t()
"""


@pytest.mark.parametrize(
    "line, found",
    [
        ("x = self.adapter(image_features)", ["adapter"]),
        ("x = image_features / self.norm(text_features)", ["norm"]),
        ("x = unit(image_features)", []),
        ("x = self.adapter(image)", []),
    ],
)
def test_modules_that_follow_an_encoder(line, found):
    assert signs.after_the_encoder(MODEL.format(line=line)) == found


@pytest.mark.parametrize(
    "source, found",
    [
        ("import torch\ndevice = torch.cuda.current_device()", True),
        ("WEIGHT = torch.zeros(2).cuda()", True),
        ("if True:\n    torch.cuda.set_device(0)", True),
        ("x = torch.cuda.is_available()\nfrom torch.cuda.amp import GradScaler", False),
        ("def f():\n    torch.cuda.set_device(0)", False),
        ("if __name__ == '__main__':\n    torch.cuda.set_device(0)", False),
        ("this is no python", False),
    ],
)
def test_cuda_is_asked_at_import_or_later(source, found):
    assert signs.cuda_at_import(source) is found


def test_files_that_are_absent_are_named(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/is.pth").touch()
    source = "A = './there/is.pth', 'gone/not.json', '/abs/x.pth', 'word.pth', 'a/{}.pth'"
    assert signs.absent_files(source, tmp_path) == ["gone/not.json"]


def test_encoders_are_those_that_are_set():
    assert signs.encoders("self.image_encoder = x\nself.text_encoder == y") == ["image"]


@pytest.mark.parametrize(
    "source, asks",
    [
        ("if args.trainer:\n    cfg.TRAINER.NAME = args.trainer", False),
        ("if cfg.TRAINER.NAME == 'Mine':\n    pass", True),
        ("x = args.trainer in ('Mine', 'Other')", True),
    ],
)
def test_a_script_that_compares_the_trainers_name(source, asks):
    assert signs.asks_its_name(source) is asks
