"""A preset gives the terms of an earlier version, and says what contradicts it."""

import pytest
import torch
from objective_cases import COUNTS, LABELS, ZERO_SHOT, outputs

from npt_plugin.config import defaults
from npt_plugin.errors import UserError
from npt_plugin.losses import build_objective
from npt_plugin.losses.objective import counts_logits
from npt_plugin.losses.preset import with_preset

pytestmark = pytest.mark.numerics


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_a_preset_is_its_keys_one_by_one(version):
    cfg, spelled = defaults(), defaults()
    cfg.TRAINER.NPT.PRESET = version
    spelled.TRAINER.NPT.UNITS, spelled.TRAINER.NPT.PRIOR_COUNT = "cosine", 0.0
    assert not counts_logits(cfg)
    built = [build_objective(c, COUNTS, ZERO_SHOT, 100.0) for c in (cfg, spelled)]
    values = [objective(outputs(), LABELS) for objective in built]
    assert values[0].keys() == {"lc", "mi"}
    for name in values[0]:
        assert torch.equal(values[0][name], values[1][name])
    now = build_objective(defaults(), COUNTS, ZERO_SHOT, 100.0)(outputs(), LABELS)
    assert not torch.equal(now["mi"], values[0]["mi"])


def test_the_config_itself_stays_as_it_is():
    npt = defaults().TRAINER.NPT
    before = npt.clone()
    npt.PRESET = before.PRESET = "0.1"
    npt.freeze()
    assert with_preset(npt) != npt and npt == before


def test_what_contradicts_a_preset_is_refused_and_what_agrees_is_not():
    npt = defaults().TRAINER.NPT
    npt.PRESET, npt.PRIOR_COUNT = "0.1", 3.0
    with pytest.raises(UserError, match=r"PRESET 0\.1 means .*PRIOR_COUNT 0\.0, and it is 3\.0"):
        with_preset(npt)
    npt.PRIOR_COUNT = 0.0
    assert with_preset(npt).UNITS == "cosine"
    npt.PRESET = "0.3"
    with pytest.raises(UserError, match=r"TRAINER\.NPT\.PRESET is '0\.3'"):
        with_preset(npt)
