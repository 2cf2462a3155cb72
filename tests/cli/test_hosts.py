"""``npt hosts check`` on small checkouts: what it says, and how it ends."""

from __future__ import annotations

import re

import pytest

from npt_plugin.cli import hosts
from npt_plugin.cli.hosts import main
from npt_plugin.hosts.description import IDLE, WRAPPED
from npt_plugin.hosts.probe import Findings
from npt_plugin.hosts.trial import Trial

pytestmark = pytest.mark.slow

SCRIPT = """
{before}
from dassl.engine import TRAINER_REGISTRY, TrainerX, build_trainer
from dassl.config import clean_cfg, get_cfg_default
import elsewhere, prompts.models

@TRAINER_REGISTRY.register()
class Mine(TrainerX):
    def build_model(self):
        self.model = prompts.models.Model()
    def forward_backward(self, batch):
        loss = self.model(batch["img"])
        loss.backward(retain_graph=True)
        loss.backward()

@TRAINER_REGISTRY.register()
class Frozen(TrainerX):
    pass

{after}
if __name__ == "__main__":
    cfg = get_cfg_default()
    clean_cfg(cfg, "MINE")
    build_trainer(cfg)
    raise SystemExit("this part must not run")
"""
OTHER = """
from dassl.engine import TRAINER_REGISTRY, TrainerX

@TRAINER_REGISTRY.register()
class Elsewhere(TrainerX):
    def forward_backward(self, batch):
        pass
"""
MODEL = """
class Model:
    def __init__(self, clip):
        self.image_encoder = clip.visual
        self.text_encoder = clip
    def forward(self, image):
        features = self.image_encoder(image)
        return self.adapter(features.half())
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("NPT_FRAMEWORK", "minidassl")

    def make(before="", after="", model=MODEL):
        (tmp_path / "prompts").mkdir(exist_ok=True)
        (tmp_path / "prompts" / "models.py").write_text(model)
        (tmp_path / "elsewhere.py").write_text(OTHER)
        (tmp_path / "train.py").write_text(SCRIPT.format(before=before, after=after))
        return str(tmp_path)

    return make


def table(out: str) -> dict[str, str]:
    """Trainer to the words in its row."""
    rows = out[out.index("NPT_ variant") :].splitlines()[1:]
    found: dict[str, str] = {}
    name = ""
    for row in rows:
        name = re.match(r"\S*", row)[0] or name
        found[name] = f"{found.get(name, '')} {row.removeprefix(name).strip()}".strip()
    return found


def test_each_trainer_is_described_and_nothing_is_run(checkout, capsys):
    assert main(["check", checkout(before="import torch; torch.cuda.set_device(0)")]) == 1
    out = capsys.readouterr().out
    assert re.search(r"Dassl +minidassl .*, ours", out)
    assert "cleans the config: our keys come back" in out and "CUDA at import" in out
    rows = table(out)
    assert rows["Mine"].startswith("its own, wrapped  several backward passes")
    assert "adapter after the encoder" in rows["Mine"]
    assert rows["Elsewhere"].startswith("not seen") and "no image_encoder and text_en" in out
    assert rows["Frozen"] == "nothing to train"
    assert main(["check", checkout(), "--trainer", "NPT_Mine"]) == 0
    assert set(table(capsys.readouterr().out)) == {"Mine"}
    assert main(["check", checkout(), "--trainer", "Mein"]) == 2
    assert "no trainer 'Mein' (did you mean 'Mine'?)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "how, said",
    [
        ({"before": "import plotteen"}, "imports plotteen, which is neither"),
        ({"before": "import time; time.sleep(99)"}, "it did not end within 8 s"),
        ({"before": "import os; os.kill(os.getpid(), 9)"}, "killed by signal 9"),
        ({"before": "import os; os._exit(7)"}, "ended with exit code 7"),
        ({"after": "raise SystemExit(3)"}, "ends while it is imported (exit code 3)"),
        ({"after": "open('no/such/file')"}, "FileNotFoundError"),
    ],
)
def test_whatever_an_import_does_is_one_sentence(checkout, capsys, how, said):
    limit = "8" if "sleep" in str(how) else "100"
    assert main(["check", checkout(**how), "--time-limit", limit]) == 1
    out, err = capsys.readouterr()
    assert said in " ".join(out.split()) and "PROBLEM" in out and "Traceback" not in out + err


def test_what_is_no_checkout_is_the_users_mistake(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert "has no train.py" in capsys.readouterr().err


def test_a_proof_is_one_line_a_trainer_and_decides_the_exit_code(tmp_path, capsys, monkeypatch):
    """What each process finds is in tests/hosts/test_trial.py."""
    asked = []

    def try_out(script, trainer, words, limit):
        asked.append((trainer, words, limit))
        return Trial(verdict, "because")

    trainers = [("Mine", WRAPPED, []), ("Frozen", IDLE, [])]
    (tmp_path / "train.py").write_text("")
    monkeypatch.setattr(hosts, "look_at", lambda script, limit: Findings(trainers=trainers))
    monkeypatch.setattr(hosts, "try_out", try_out)
    words = ["check", str(tmp_path), "--run", "--run-limit", "9"]
    for verdict, code in (("holds", 0), ("does not hold", 1), ("could not be tried", 1)):
        assert main([*words, "--words", "TASK", "B2N"]) == code
        assert capsys.readouterr().out.endswith(f"\nproof\nMine: {verdict}: because\n")
    assert asked == [("Mine", ["TASK", "B2N"], 9.0)] * 3
    assert main([*words, "--trainer", "Frozen"]) == 0
    assert "none of these trainers is wrapped" in capsys.readouterr().out
    assert main([*words[:2], "--words", "TASK", "B2N"]) == 2
    assert "needs --run" in capsys.readouterr().err
