"""The optimiser that ``OPTIM`` asks for."""

import pytest
import torch
from small_network import network

from npt_plugin.config import defaults
from npt_plugin.errors import UserError
from npt_plugin.optim import GNM, SAM, wrap_optimizer


class TestWrapOptimizer:
    def wrap(self, **keys):
        cfg = defaults()
        for key, value in keys.items():
            method, name = key.split("_", 1)
            cfg.OPTIM[method][name] = value
        optimizer = torch.optim.SGD(network().parameters(), 0.1)
        return optimizer, wrap_optimizer(cfg, optimizer)

    def test_off_it_is_the_very_same_object(self):
        optimizer, wrapped = self.wrap()
        assert wrapped is optimizer

    def test_negative_seed_is_unseeded(self):
        base = torch.optim.SGD(network().parameters(), 0.1)

        def seed(value):
            cfg = defaults()
            cfg.OPTIM.GNM.ENABLED = True
            cfg.SEED = value
            return wrap_optimizer(cfg, base).stream.seed

        assert seed(0) == 0 and seed(3) == 3
        assert seed(-1) != seed(-1)

    def test_on(self):
        optimizer, gnm = self.wrap(GNM_ENABLED=True)
        assert isinstance(gnm, GNM) and gnm.optimizer is optimizer
        assert gnm.radius == pytest.approx(0.005)
        assert isinstance(self.wrap(SAM_ENABLED=True)[1], SAM)

    @pytest.mark.parametrize(
        "keys",
        [
            {"SAM_ENABLED": True, "GNM_ENABLED": True},
            {"GNM_ENABLED": True, "GNM_RHO": -1.0},
            {"GNM_ENABLED": True, "GNM_SCHEDULE": "step"},
            {"SAM_ENABLED": True, "SAM_RHO": -1.0},
        ],
    )
    def test_bad_settings_are_named(self, keys):
        with pytest.raises(UserError, match=list(keys)[-1].replace("_", ".", 1)):
            self.wrap(**keys)

    def test_every_key_reaches_its_argument(self):
        _, gnm = self.wrap(
            GNM_ENABLED=True, GNM_RHO=0.2, GNM_SCALE=0.5, GNM_SIGMA=0.7, GNM_CLAMP=2.0
        )
        assert gnm.radius == pytest.approx(0.1)
        assert (gnm.stream.sigma, gnm.stream.clamp) == (0.7, 2.0)
        _, sam = self.wrap(SAM_ENABLED=True, SAM_RHO=0.3, SAM_ADAPTIVE=True)
        assert (sam.rho, sam.adaptive) == (0.3, True)

    def test_schedules_read_the_epochs_of_the_run(self):
        cfg = defaults()
        cfg.OPTIM.GNM.ENABLED, cfg.OPTIM.GNM.SCHEDULE = True, "halve"
        cfg.TRAINER.IMBALANCE_LOSS.DRW_EPOCH = 3
        gnm = wrap_optimizer(cfg, torch.optim.SGD(network().parameters(), 0.1))
        full = gnm.radius
        gnm.set_epoch(4)
        assert gnm.radius == pytest.approx(full / 2)
