"""train.py as a user runs it: real processes, real files, real mistakes."""

import json
import shutil

import pytest
import yaml


def one_sentence(done, *parts):
    """The call ended with exit code 2 and one line on stderr that holds every part."""
    assert done.returncode == 2, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr + done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    for part in parts:
        assert part in lines[0]


def test_train_then_evaluate_new_classes(train_py, tmp_path):
    base, new = tmp_path / "base", tmp_path / "new"
    done = train_py("--trainer", "NPT_CoOp", "--seed", "0", "--output-dir", str(base))
    assert done.returncode == 0, done.stderr[-3000:]
    log = (base / "log.txt").read_text()
    assert "=> result" in log and "\n* accuracy: " in log and "epoch [2/2]" in log
    heads = ["** Arguments **", "** Config **", "** System info **"]
    assert [h for line in log.splitlines() for h in heads if line.startswith(h)] == heads
    assert log.index("Training images per class") < log.index("epoch [1/2]")
    assert len(log.splitlines()) < 100 and "TRAINER.COOP.N_CTX 3;" in log
    assert "CLASS_TOKEN_POSITION" not in log  # at its default
    record = json.loads((base / "results.json").read_text())
    assert record["seed"] == 0 and record["config"]["SEED"] == 0  # seed 0 is a seed
    assert [c["name"] for c in record["per_class"]] == ["red_kite", "blue kite", "green kite"]
    done = train_py(
        "--trainer",
        "NPT_CoOp",
        "--seed",
        "0",
        "--output-dir",
        str(new),
        "--eval-only",
        "--model-dir",
        str(base),
        "--load-epoch",
        "2",
        options=("DATASET.SUBSAMPLE_CLASSES", "new"),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    record = json.loads((new / "results.json").read_text())
    assert [c["name"] for c in record["per_class"]] == ["grey boat", "tan boat", "lime fish"]
    log = (new / "log.txt").read_text()
    assert "Training images per class" not in log and "\n* accuracy: " in log


def test_the_same_seed_gives_the_same_numbers_in_two_processes(train_py, tmp_path):
    records = []
    for name in ("a", "b"):
        done = train_py("--trainer", "CoOp", "--seed", "3", "--output-dir", str(tmp_path / name))
        assert done.returncode == 0, done.stderr[-3000:]
        records.append(json.loads((tmp_path / name / "results.json").read_text()))
    assert records[0]["metrics"] == records[1]["metrics"]
    assert records[0]["config_hash"] == records[1]["config_hash"]


@pytest.mark.parametrize(
    "words, options, parts",
    [
        (["--trainer", "NPT_Coop"], (), ["'NPT_Coop'", "did you mean 'NPT_CoOp'"]),
        ([], ("DATASET.NAME", "OxfordPet"), ["'OxfordPet'", "did you mean 'OxfordPets'"]),
        ([], ("TRAINER.COOP.NCTX", "4"), ["'TRAINER.COOP.NCTX'", "TRAINER.COOP.N_CTX"]),
        ([], ("TRAINER.COOP.N_CTX", "many"), ["TRAINER.COOP.N_CTX", "'many'", "type int"]),
        ([], ("OPTIM.LR",), ["pairs", "'OPTIM.LR'"]),
        (["--root", "/no/such/folder"], (), ["/no/such/folder", "does not exist"]),
        ([], ("DATASET.IMBALANCE.RATIO", "0."), ["0", "above 0"]),
        ([], ("DATASET.IMBALANCE.RATIO", "1.5"), ["1.5", "at most 1"]),
        ([], ("DATASET.IMBALANCE.PROFILE", "expo"), ["'expo'", "exp"]),
        ([], ("DATASET.SUBSAMPLE_CLASSES", "bases"), ["'bases'", "base"]),
        ([], ("MODEL.CLIP_WEIGHTS", "/no/clip.pt"), ["/no/clip.pt", "Tiny"]),
        ([], ("MODEL.CLIP_WEIGHTS", "", "MODEL.BACKBONE.NAME", "ViT-B/61"), ["'ViT-B/16'"]),
        ([], ("INPUT.SIZE", "(64, 64)"), ["(64, 64)", "(32, 32)"]),
        ([], ("TRAINER.COOP.PREC", "fp8"), ["'fp8'", "fp32"]),
        ([], ("TRAINER.COOP.CLASS_TOKEN_POSITION", "mid"), ["'mid'", "middle"]),
        (["--trainer", "MaPLe"], ("TRAINER.MAPLE.PROMPT_DEPTH", "9"), ["9", "1 to 2"]),
        (["--trainer", "NPT_CoOp"], ("TRAINER.NPT.LC.FORM", "eft"), ["'eft'", "etf"]),
        ([], ("OPTIM.LR=0.1",), ["'OPTIM.LR 0.1', not 'OPTIM.LR=0.1'"]),
        ([], ("OPTIM.LR", "-1"), ["OPTIM.LR", "-1", "at least 0"]),
        ([], ("DATALOADER.TRAIN_X.BATCH_SIZE", "0"), ["BATCH_SIZE", "0", "at least 1"]),
        (["--dry-rum"], (), ["Unknown flag '--dry-rum'", "'--dry-run'"]),
        (["--config-file", "no.yaml"], (), ["no.yaml"]),
        (["--eval-only", "--model-dir", "nowhere", "--load-epoch", "5"], (), ["nowhere"]),
    ],
)
def test_a_mistake_ends_in_one_sentence(train_here, tmp_path, words, options, parts):
    out = tmp_path / "out"
    base = [] if "--trainer" in words else ["--trainer", "CoOp"]
    done = train_here(*base, *words, "--seed", "1", "--output-dir", str(out), options=options)
    one_sentence(done, *parts)
    assert not list(out.rglob("model.pth*")) and not (out / "results.json").exists()


@pytest.mark.parametrize("flag", ["--print-config", "--dry-run"])
def test_flags_may_stand_after_the_overrides(train_here, pets_root, tmp_path, flag):
    where = ("--root", str(pets_root), "--output-dir", str(tmp_path / "no"))
    done = train_here("--trainer", "CoOp", options=("TRAINER.COOP.N_CTX", "2", flag, *where))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "no").exists()
    if flag == "--print-config":
        cfg = yaml.safe_load(done.stdout)
        assert cfg["TRAINER"]["COOP"]["N_CTX"] == 2
        assert cfg["DATASET"]["ROOT"] == str(pets_root) and "no" in cfg["OUTPUT_DIR"]
    else:
        assert "(2, 64)" in done.stdout and "Nothing was written." in done.stdout


def test_a_mistake_in_a_process_of_its_own(train_py, tmp_path):
    done = train_py("--trainer", "NPT_Coop", "--output-dir", str(tmp_path / "out"))
    one_sentence(done, "did you mean 'NPT_CoOp'")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_corrupt_image_is_named(train_here, tmp_path, pets_root, workers):
    root = tmp_path / "copy"
    shutil.copytree(pets_root, root)
    images = root / "oxford_pets" / "images"
    for broken in images.glob("red_kite_train_*.jpg"):
        broken.write_bytes(broken.read_bytes()[:100])
    done = train_here(
        "--trainer",
        "CoOp",
        "--seed",
        "1",
        "--root",
        str(root),
        "--output-dir",
        str(tmp_path / "out"),
        options=("DATALOADER.NUM_WORKERS", workers),
    )
    one_sentence(done, "red_kite_train_", str(images))


def test_print_config_is_yaml_and_runs_nothing(train_here, tmp_path):
    done = train_here("--trainer", "CoOp", "--print-config", "--output-dir", str(tmp_path / "no"))
    assert done.returncode == 0 and not (tmp_path / "no").exists()
    assert yaml.safe_load(done.stdout)["TRAINER"]["NAME"] == "CoOp"


def test_the_whole_config_is_kept_from_the_start(train_here, tmp_path):
    words = ["--trainer", "CoOp", "--seed", "1", "--output-dir", str(tmp_path / "run")]
    assert train_here(*words, "--no-train").returncode == 0
    kept = (tmp_path / "run" / "config.yaml").read_text()
    assert kept == train_here(*words, "--print-config").stdout


@pytest.mark.parametrize("way", ["--dry-run", "--no-train"])
def test_keys_of_another_trainer_are_called_ignored(train_here, tmp_path, way):
    words = ["--trainer", "CoCoOp", "--seed", "1", "--output-dir", str(tmp_path / "run"), way]
    done = train_here(*words, options=("TRAINER.COCOOP.N_CTX", "2"))
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("Ignored: ")]
    assert "TRAINER.COOP.N_CTX" in line and "TRAINER.COCOOP.N_CTX" not in line
