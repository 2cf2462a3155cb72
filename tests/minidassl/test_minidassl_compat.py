"""Each check needs a process of its own, as it is about what is imported."""

import os
import subprocess
import sys
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "third_party"


def python(code, *more_paths):
    path = os.pathsep.join([str(ENGINE), *map(str, more_paths)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


ALIASES = """
from minidassl.compat import install_as_dassl
install_as_dassl()
install_as_dassl()
import dassl.engine.trainer, dassl.data.datasets.base_dataset
from dassl.config import clean_cfg, get_cfg_default
from dassl.data import DataManager, DatasetWrapper
from dassl.data.data_manager import build_data_loader
from dassl.data.datasets import DATASET_REGISTRY, Datum, DatasetBase, build_dataset
from dassl.data.samplers import build_sampler
from dassl.data.transforms import INTERPOLATION_MODES, build_transform
from dassl.data.transforms.transforms import build_transform as same_transform
from dassl.engine import TRAINER_REGISTRY, TrainerX, TrainerXU, build_trainer
from dassl.engine.build import TRAINER_REGISTRY as same_registry
from dassl.engine.trainer import TrainerX as same_trainer
from dassl.evaluation import EVALUATOR_REGISTRY, build_evaluator
from dassl.evaluation.evaluator import Classification
from dassl.metrics import compute_accuracy
from dassl.optim import build_lr_scheduler, build_optimizer
from dassl.utils import *
from dassl.utils.tools import read_json
from dassl.utils.torchtools import load_checkpoint as same_load
import minidassl, minidassl.engine, dassl
assert dassl is minidassl and TRAINER_REGISTRY is minidassl.engine.TRAINER_REGISTRY is same_registry
assert TrainerX is same_trainer and same_load is load_checkpoint and Registry and setup_logger
try:
    import dassl.engine.da
except ModuleNotFoundError:
    print("absent modules stay absent")
"""


def test_code_for_dassl_imports():
    assert python(ALIASES) == "absent modules stay absent\n"


def test_every_name_that_public_checkouts_import_is_there():
    lines = (Path(__file__).parent / "dassl_names.txt").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert sum(map(len, rows)) > 40
    wanted = "\n".join(f"from {module} import {', '.join(names)}" for module, *names in rows)
    start = "from minidassl.compat import install_as_dassl\ninstall_as_dassl()\n"
    assert python(f"{start}{wanted}\nprint(SummaryWriter.__name__)") == "SummaryWriter\n"


LENIENT = """
from minidassl.compat import install_as_dassl
install_as_dassl()
import sys
from dassl.data.datasets import DatasetBase, Datum
cat, dog, cow = (Datum(sys.executable, 0, 0, name) for name in ("cat", "dog", "cow"))
train, test = [cat], [dog, cow]
assert DatasetBase(train_x=train, test=test).test == test
"""


def test_under_dassls_name_other_class_names_are_said_once():
    (line,) = python(LENIENT).splitlines()
    assert line.startswith("Note: The test split calls label 0 'dog'")


def test_another_dassl_is_not_overruled(tmp_path):
    (tmp_path / "dassl.py").write_text("")
    code = (
        "import dassl\nfrom minidassl.compat import install_as_dassl\n"
        "try: install_as_dassl()\nexcept RuntimeError: print('refused')"
    )
    assert python(code, tmp_path) == "refused\n"


def test_import_is_light():
    code = (
        "import minidassl.engine, minidassl.data.transforms, sys\n"
        "heavy = {'torchvision', 'sklearn', 'tensorboard', 'gdown', 'npt_plugin'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert python(code) == "[]\n"
