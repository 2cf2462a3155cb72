"""Whatever is in the files and on the command line: a clear error or a correct result.

Never another exception, never a hang, never a file left half-written. ``NPT_FUZZ=500`` tries 500
inputs of each kind instead of 30.
"""

import json
import os
import shutil

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import npt_plugin
from npt_plugin.config import extend_cfg
from npt_plugin.engine.framework import get_cfg_default
from npt_plugin.errors import UserError, user_errors
from npt_plugin.runs.config_tree import config_as_dict, flatten
from npt_plugin.runs.predictions import PREDICTIONS, Predictions
from npt_plugin.runs.record import is_completed, read_record
from npt_plugin.runs.settings import merge_file, merge_options
from npt_plugin.system.locks import LOCK, run_lock
from npt_plugin.system.safe_checkpoints import read_checkpoint, read_state, write_state

fuzz = settings(
    max_examples=int(os.environ.get("NPT_FUZZ", "30")),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
npt_plugin.register(base=True)
KEYS = sorted(flatten(config_as_dict(extend_cfg(get_cfg_default()))))
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
)  # NaN and infinities among them: Python's JSON writes and reads both
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def refused_or(action):
    """The action's result, or None where it said in one sentence why not."""
    try:
        return action()
    except user_errors() as error:
        sentence = str(error).strip()
        assert sentence and "Traceback" not in sentence
        return None


def damaged(data: bytes, draw_from: st.DataObject) -> bytes:
    """Cut, change or extend whole bytes of a good file."""
    kind = draw_from.draw(st.sampled_from(["cut", "flip", "insert", "noise"]))
    at = draw_from.draw(st.integers(0, max(0, len(data) - 1)))
    if kind == "cut":
        return data[:at]
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ draw_from.draw(st.integers(1, 255))]) + data[at + 1 :]
    extra = draw_from.draw(st.binary(min_size=1, max_size=40))
    return data[:at] + extra + data[at:] if kind == "insert" else extra


@fuzz
@given(
    st.lists(
        st.tuples(
            st.sampled_from(KEYS) | st.text(max_size=20),
            SCALARS | st.text("0123456789.e-+[](),{}:'!&*#%@ \n\t|>", max_size=12),
        ),
        max_size=4,
    )
)
def test_config_overrides(pairs):
    cfg = extend_cfg(get_cfg_default())
    before = {key: type(value) for key, value in flatten(config_as_dict(cfg)).items()}
    refused_or(lambda: merge_options(cfg, [word for pair in pairs for word in pair]))
    after = flatten(config_as_dict(cfg))
    assert after.keys() == before.keys()
    for key, value in after.items():
        assert isinstance(value, before[key]), (key, value)


@fuzz
@given(TREES | st.text(max_size=60) | st.binary(max_size=60))
def test_config_files(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "config.yaml"
    data = (
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode(
            "utf-8", "surrogatepass"
        )
    )
    path.write_bytes(data)
    refused_or(lambda: merge_file(extend_cfg(get_cfg_default()), str(path)))


GOOD_RECORD = {
    "schema": 1,
    "status": "completed",
    "trainer": "CoOp",
    "dataset": "x",
    "classes": "base",
    "seed": 1,
    "ratio": 0.06,
    "config": {},
    "config_hash": "0",
    "epochs": 2,
    "shots": 16,
    "selection": "last_step",
    "metrics": {"accuracy": 50.0, "macro_accuracy": 50.0},
}


@fuzz
@given(st.data())
def test_results_files_and_the_report_of_them(tmp_path_factory, capsys, data):
    from npt_plugin.report.write import report
    from npt_plugin.sweep.job import Job

    output = tmp_path_factory.getbasetemp() / "results"
    shutil.rmtree(output, ignore_errors=True)
    job = Job("pets", "CoOp", "cfg", 1, 0.06, output=str(output))
    record = GOOD_RECORD | data.draw(
        st.dictionaries(st.sampled_from([*GOOD_RECORD, "history", "per_class"]), TREES, max_size=2)
    )
    raw = json.dumps(record).encode()
    if data.draw(st.booleans()):
        raw = damaged(raw, data)
    for part in ("train", "new"):
        job.folder(part).mkdir(parents=True)
        (job.folder(part) / "results.json").write_bytes(raw)
    good = refused_or(lambda: read_record(job.folder("train") / "results.json"))
    assert is_completed(job.folder("train")) == (good is not None and good.status == "completed")
    refused_or(lambda: report(output))
    assert not [p for p in output.glob(".*")]


@fuzz
@given(st.data())
def test_progress_files(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "progress.npt"
    state = {"epoch": 3, "learned": {"ctx": torch.arange(4.0)}, "rng": (1, "x", None)}
    write_state(path, state)
    good = path.read_bytes()
    bad = damaged(good, data)
    path.write_bytes(bad)
    found = read_state(path)
    assert found is None if bad != good else found["epoch"] == 3  # a checksum leaves no third


@fuzz
@given(st.data())
def test_checkpoints(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "model.pth.tar-1"
    torch.save({"state_dict": {"ctx": torch.arange(12.0)}, "epoch": 1}, path)
    path.write_bytes(damaged(path.read_bytes(), data))
    found = refused_or(lambda: read_checkpoint(path))
    assert found is None or isinstance(found["state_dict"], dict)


@fuzz
@given(st.data())
def test_kept_predictions(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "kept"
    parts = (torch.randn(6, 3), torch.arange(6) % 3, torch.randn(6, 4), torch.randn(3, 4))
    path = Predictions(*parts, ["a", "b", "c"]).save(folder)
    path.write_bytes(damaged(path.read_bytes(), data))
    refused_or(lambda: Predictions.load(folder))
    assert [p.name for p in folder.iterdir()] == [PREDICTIONS]


@fuzz
@given(st.data())
def test_lock_files(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "locked"
    folder.mkdir(exist_ok=True)
    known = {"pid": data.draw(TREES), "host": data.draw(TREES), "boot": "", "start": ""}
    raw = json.dumps(data.draw(st.just(known) | TREES)).encode()
    (folder / LOCK).write_bytes(damaged(raw, data) if data.draw(st.booleans()) else raw)

    def lock():
        with run_lock(folder):
            return True

    if refused_or(lock):
        assert not (folder / LOCK).exists()


@pytest.fixture
def pets_cfg(pets_root, tmp_path):
    cfg = extend_cfg(get_cfg_default())
    root = shutil.copytree(pets_root, tmp_path / "root")
    words = ["DATASET.NAME", "OxfordPets", "DATASET.ROOT", str(root), "DATASET.NUM_SHOTS", 2]
    merge_options(cfg, [*words, "SEED", 1])
    return cfg


@fuzz
@given(st.data())
def test_split_files(pets_cfg, data):
    from npt_plugin.engine.framework import DATASET_REGISTRY

    path = os.path.join(pets_cfg.DATASET.ROOT, "oxford_pets", "split_zhou_OxfordPets.json")
    kept = path + ".good"
    if not os.path.exists(kept):
        shutil.copy(path, kept)
    with open(kept, encoding="utf-8") as file:
        split = json.load(file)
    if data.draw(st.booleans()):
        part = data.draw(st.sampled_from(["train", "val", "test"]))
        row = data.draw(st.integers(0, len(split[part]) - 1))
        if data.draw(st.booleans()):
            split[part][row] = data.draw(TREES)
        else:
            split[part][row][data.draw(st.integers(0, 2))] = data.draw(TREES)
        raw = json.dumps(split).encode()
    else:
        raw = damaged(json.dumps(split).encode(), data)
    with open(path, "wb") as file:
        file.write(raw)
    dataset = refused_or(lambda: DATASET_REGISTRY.get("OxfordPets")(pets_cfg))
    if dataset is not None:
        labels = {item.label for item in dataset.train_x}
        assert labels <= set(range(len(dataset.classnames)))


LINES = [
    "a.jpg 0",
    "b.jpg 1",
    "c.jpg,0,cat",
    "path,label",
    "a.jpg\t1",
    "a b.jpg 0",
    "../x.jpg 0",
    "a.jpg -1",
    "a.jpg 99999999999999999999",
    '"a.jpg',
    "a.jpg 0.5",
]


@fuzz
@given(
    st.lists(st.sampled_from(LINES) | st.text(max_size=16), max_size=6),
    st.sampled_from(["utf-8", "utf-16", "latin-1"]),
)
def test_list_files(tmp_path_factory, lines, encoding):
    from PIL import Image

    from npt_plugin.engine.framework import DATASET_REGISTRY

    root = tmp_path_factory.getbasetemp() / "lists"
    if not root.exists():
        root.mkdir()
        for name in "abc":
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(root / f"{name}.jpg")
    text = "\n".join(lines).encode(encoding, "replace")
    (root / "train.txt").write_bytes(text)
    cfg = extend_cfg(get_cfg_default())
    merge_options(
        cfg,
        [
            "DATASET.NAME",
            "List",
            "DATASET.ROOT",
            str(root),
            "SEED",
            1,
            "DATASET.TRAIN_LIST",
            "train.txt",
            "DATASET.TEST_LIST",
            "train.txt",
        ],
    )
    dataset = refused_or(lambda: DATASET_REGISTRY.get("List")(cfg))
    if dataset is not None:
        assert all(os.path.exists(item.impath) for item in dataset.train_x)


def test_the_fuzz_would_see_a_traceback():
    with pytest.raises(ZeroDivisionError):
        refused_or(lambda: 1 / 0)
    assert refused_or(lambda: (_ for _ in ()).throw(UserError("No."))) is None
