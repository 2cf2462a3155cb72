"""The finished run a second stage stands on: as it was trained, frozen, and the right one."""

import hashlib
import json
import shutil

import pytest
import torch
from tolerance import DOUBLE, gap
from trainer_checks import first_logits

from npt_plugin.errors import UserError
from npt_plugin.runs.layout import RESULTS
from npt_plugin.trainers.first_stage import digest_of

RATIO = ("DATASET.IMBALANCE.RATIO", "0.25")

LINEAR = ("LinearProbe", "TRAINER.HEAD.NAME", "linear", "TRAINER.HEAD.INIT", "random")


@pytest.mark.numerics
@pytest.mark.parametrize("first", [("CoOp",), ("MaPLe",), LINEAR], ids=lambda f: f[0])
def test_stage_one_is_as_it_was_trained_and_stays_so(second, make_trainer, first, first_stages):
    trainer = second("disalign", first)
    before = {n: p.clone() for n, p in trainer.model.first.state_dict().items()}
    original = make_trainer(*first[:1], *first[1:])
    original.load_model(str(first_stages(*first)), epoch=1)
    images = torch.randn(4, 3, 32, 32)
    original.set_model_mode("eval")
    with torch.no_grad():
        assert gap(first_logits(trainer, images), original.model(images)) <= DOUBLE
    trainer.train()
    for name, value in trainer.model.first.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(p.requires_grad for p in trainer.model.first.parameters())
    assert all(n.startswith("second.") for n in trainer.model.learned())
    trainer.set_model_mode("train")
    assert trainer.model.second.training and not trainer.model.first.training


def test_tau_normalisation_of_stage_one_is_off_in_stage_two(second):
    """It is a correction at test time itself; the second stage starts from what was trained."""
    normed = second("lws", (*LINEAR, "TRAINER.IMBALANCE_LOSS.TAU_NORM", "1.0"))
    assert normed.model.first.head.tau == 0


def test_refuses_what_is_no_finished_first_stage(second, make_trainer, first_stages, tmp_path):
    place = shutil.copytree(first_stages("CoOp"), tmp_path / "first")
    options = ("TRAINER.TWO_STAGE.RUN", str(place))
    record = json.loads((place / RESULTS).read_text())
    record["status"] = "started"
    (place / RESULTS).write_text(json.dumps(record))
    with pytest.raises(UserError, match="is started, not completed"):
        make_trainer("TwoStage", *options)
    with pytest.raises(UserError, match="is not the output folder of a run"):
        make_trainer("TwoStage", "TRAINER.TWO_STAGE.RUN", str(tmp_path / "absent"))
    second("lws", output=tmp_path / "second").train()
    with pytest.raises(UserError, match="is a second stage itself"):
        make_trainer("TwoStage", "TRAINER.TWO_STAGE.RUN", str(tmp_path / "second"))


def test_refuses_other_settings(second, make_trainer):
    with pytest.raises(UserError, match=r"METHOD is 'ncm'; choose one of crt, lws"):
        second("ncm")
    with pytest.raises(UserError, match="keeps to the classes it was trained on"):
        second("lws", ("CoOp",), "DATASET.SUBSAMPLE_CLASSES", "new")
    size = ("INPUT.SIZE", "(48, 48)")
    with pytest.raises(UserError, match="set MODEL.BACKBONE.NAME"):
        second("lws", ("CoOp",), "MODEL.CLIP_WEIGHTS", "", "MODEL.BACKBONE.NAME", "Tiny", *size)
    with pytest.raises(UserError, match="TAU_NORM is 1.0"):
        second("lws", LINEAR, "TRAINER.IMBALANCE_LOSS.TAU_NORM", "1.0")


def test_refuses_a_first_stage_that_has_changed_since(second, make_trainer, first_stages, tmp_path):
    place = shutil.copytree(first_stages("CoOp"), tmp_path / "first")
    options = ("TRAINER.TWO_STAGE.METHOD", "lws", "TRAINER.TWO_STAGE.RUN", str(place), *RATIO)
    make_trainer("TwoStage", *options, output=tmp_path / "second").train()
    again = make_trainer("CoOp", "OPTIM.MAX_EPOCH", "1", seed=5, output=tmp_path / "other")
    again.train()
    shutil.copytree(
        tmp_path / "other" / "prompt_learner", place / "prompt_learner", dirs_exist_ok=True
    )
    changed = make_trainer("TwoStage", *options, output=tmp_path / "third")
    with pytest.raises(UserError, match="was trained on another first stage"):
        changed.load_model(str(tmp_path / "second"), epoch=2)


def test_a_digest_is_sha256_over_names_types_shapes_and_bytes():
    state = {"b": torch.tensor([1.0, 2.0]), "a": torch.tensor([[3]], dtype=torch.int64)}
    digest = hashlib.sha256(b"a torch.int64 (1, 1)\n" + (3).to_bytes(8, "little"))
    digest.update(b"b torch.float32 (2,)\n" + state["b"].numpy().tobytes())
    assert bytes(digest_of(state)) == digest.digest()


def test_a_digest_tells_any_change_and_no_order():
    state = {"b": torch.tensor([1.0, 2.0]), "a": torch.ones(2, 2)}
    own = digest_of(state)
    assert torch.equal(digest_of(dict(reversed(state.items()))), own)
    assert torch.equal(digest_of({**state, "a": torch.ones(2, 2).t()}), own)  # the same numbers
    for other in (
        {**state, "b": torch.tensor([1.0, 2.0000002])},
        {**state, "a": torch.ones(4)},
        {**state, "a": torch.ones(2, 2, dtype=torch.float64)},
        {"b": state["b"], "c": state["a"]},
    ):
        assert not torch.equal(digest_of(other), own)
