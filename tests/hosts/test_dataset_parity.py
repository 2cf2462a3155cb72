"""Our readers against the CoOp checkout's, item by item, on the same miniature trees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HOSTS = os.environ.get("NPT_HOSTS", "")
ROOT = Path(__file__).resolve().parents[2]
TREES = ROOT / "tests" / "support"
SHOTS = (1, 2, 4, 8, 16)
SUBSETS = ("all", "base", "new")

pytestmark = pytest.mark.skipif(
    not (HOSTS and Path(HOSTS, "CoOp").is_dir() and Path(HOSTS, "Dassl.pytorch").is_dir()),
    reason="NPT_HOSTS names no folder with CoOp and Dassl.pytorch",
)

# The few-shot pickles of the host are deleted before each of its reads: it must draw, not remember.
SCRIPT = """
import json, random, shutil, sys, types
from pathlib import Path
# Dassl imports its WILDS datasets, whose packages (wilds, pandas) none of these datasets needs.
sys.modules["dassl.data.datasets.dg.wilds"] = types.ModuleType("dassl.data.datasets.dg.wilds")
which, root, out = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
from data_cfg import make_cfg
from mini_trees import BUILDERS
if which == "host":
    import datasets.caltech101, datasets.dtd, datasets.eurosat, datasets.fgvc_aircraft
    import datasets.food101, datasets.imagenet, datasets.imagenet_a, datasets.imagenet_r
    import datasets.imagenet_sketch, datasets.imagenetv2, datasets.oxford_flowers
    import datasets.oxford_pets, datasets.stanford_cars, datasets.sun397, datasets.ucf101
    from dassl.data.datasets import DATASET_REGISTRY
    build = DATASET_REGISTRY.get
else:
    from npt_plugin.datasets.names import reader as build

def items(part):
    return [[i.impath.replace(str(root), ""), i.label, i.classname] for i in part or []]

def read(name, **keys):
    cfg = make_cfg(root, **keys)
    if which == "host":
        for folder in root.glob("*/split_fewshot"):
            shutil.rmtree(folder)
        random.seed(keys["seed"])
    d = build(name)(cfg)
    return [items(d.train_x), items(d.val), items(d.test), list(d.classnames), d.num_classes]

result = {}
plan = json.loads(sys.argv[4])
for name in BUILDERS:
    for seed, shots, subset in plan:
        if name == "ImageNetV2" and (seed, shots) not in ((1, -1), (1, 16)):
            continue  # 1,000 folders, and shots do not apply to it
        result[f"{name}/{seed}/{shots}/{subset}"] = read(
            name, seed=seed, NUM_SHOTS=shots, SUBSAMPLE_CLASSES=subset)
Path(out).write_text(json.dumps(result))
"""


def _read_all(which: str, root: Path, out: Path, plan: list) -> dict:
    env = dict(os.environ)
    paths = [str(ROOT), str(ROOT / "third_party"), str(TREES), str(Path(HOSTS, "Dassl.pytorch"))]
    if which == "host":
        paths.insert(0, str(Path(HOSTS, "CoOp")))
    env["PYTHONPATH"] = os.pathsep.join(paths)
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, which, str(root), str(out), json.dumps(plan)],
        env=env,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sys.path.insert(0, str(TREES))
    from mini_trees import BUILDERS

    root = tmp_path_factory.mktemp("data")
    for build in BUILDERS.values():
        build(root)
    return root


def test_same_items_for_every_dataset_shots_and_half(tree: Path, tmp_path: Path) -> None:
    plan: list[list] = [[1, -1, subset] for subset in SUBSETS]  # the first draws the split files
    plan += [[1, shots, subset] for shots in SHOTS for subset in SUBSETS]
    plan += [[2, 16, subset] for subset in SUBSETS]
    host = _read_all("host", tree, tmp_path / "host.json", plan)
    ours = _read_all("ours", tree, tmp_path / "ours.json", plan)
    assert host.keys() == ours.keys() and len(host) > 14 * len(plan)
    for key in host:
        for part, theirs, mine in zip(
            ("train", "val", "test", "classnames", "num_classes"), host[key], ours[key], strict=True
        ):
            assert theirs == mine, f"{key}: {part} differs"


def test_same_split_files_are_drawn(tree: Path, tmp_path: Path) -> None:
    splits: dict[str, dict] = {}
    for which in ("host", "ours"):
        for path in tree.glob("*/split_zhou_*.json"):
            path.unlink()
        _read_all(which, tree, tmp_path / "x.json", [[3, -1, "all"]])
        splits[which] = {
            p.name: json.loads(p.read_text()) for p in sorted(tree.glob("*/split_zhou_*.json"))
        }
    assert len(splits["host"]) == 9
    assert splits["host"] == splits["ours"]


IMBALANCED = """
import random, sys, types
from pathlib import Path
sys.modules["dassl.data.datasets.dg.wilds"] = types.ModuleType("dassl.data.datasets.dg.wilds")
import npt_plugin
npt_plugin.register()  # before the host registers its own datasets
import datasets.imagenet, datasets.oxford_pets
from data_cfg import make_cfg
from npt_plugin.engine.framework import DATASET_REGISTRY as registry

names = [n for n in registry.registered_names() if not n.startswith("Imbalanced")]
assert "SUN397" not in names and {"OxfordPets", "ImageNet"} <= set(names), names
assert registry.get("ImbalancedOxfordPets").host_class is datasets.oxford_pets.OxfordPets

def build(name, seed, **keys):
    random.seed(seed)
    return registry.get(name)(make_cfg(Path(sys.argv[1]), NUM_SHOTS=16, **keys))

def items(part):
    return [(i.impath, i.label, i.classname) for i in part]

for name in ("OxfordPets", "ImageNet"):
    for half in ("all", "base", "new"):
        host = build(name, 1, SUBSAMPLE_CLASSES=half)
        same = build("Imbalanced" + name, 9, SUBSAMPLE_CLASSES=half)
        skew = build("Imbalanced" + name, 9, SUBSAMPLE_CLASSES=half, imbalance={"RATIO": 0.06})
        for part in ("train_x", "val", "test"):
            assert items(getattr(host, part)) == items(getattr(same, part)), (name, half, part)
        assert host.classnames == same.classnames == skew.classnames
        assert set(items(skew.train_x)) < set(items(host.train_x))
        assert items(skew.test) == items(host.test)
"""


def test_imbalance_over_the_classes_of_the_host(tree: Path) -> None:
    paths = [Path(HOSTS, "CoOp"), ROOT, ROOT / "third_party", TREES, Path(HOSTS, "Dassl.pytorch")]
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", NPT_FRAMEWORK="dassl")
    env["PYTHONPATH"] = os.pathsep.join(map(str, paths))
    run = subprocess.run(
        [sys.executable, "-c", IMBALANCED, str(tree)], env=env, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-3000:]
