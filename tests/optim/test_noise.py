"""The noise: its size, its own stream, and going on from a saved state."""

import pytest
import torch
from yacs.config import CfgNode

from npt_plugin.optim.noise import NoiseStream, noise_seed

pytestmark = pytest.mark.numerics

CPU = torch.device("cpu")


def draw(stream, *shape):
    return stream.draw(torch.Size(shape), CPU)


def test_a_draw_is_the_clipped_normal_of_its_seed():
    generator = torch.Generator().manual_seed(4)
    expected = torch.randn(3, 5, generator=generator, dtype=torch.float32) * 2.0
    found = draw(NoiseStream(4, sigma=2.0, clamp=1.5), 3, 5)
    assert found.dtype == torch.float32 and torch.equal(found, expected.clamp(-1.5, 1.5))


def test_the_global_random_state_is_neither_read_nor_moved():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = draw(NoiseStream(0), 4)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(draw(NoiseStream(0), 4), first)
    assert not torch.equal(draw(NoiseStream(1), 4), first)


def test_a_loaded_stream_goes_on_and_the_saved_state_stays_as_it_was():
    stream = NoiseStream(7)
    draw(stream, 10)
    state = stream.state_dict()
    following = [draw(stream, 10) for _ in range(2)]
    other = NoiseStream(99)
    other.load_state_dict(state)
    assert set(other.state_dict()) == {"cpu"}  # also before it has drawn
    assert torch.equal(draw(other, 10), following[0])
    assert torch.equal(draw(other, 10), following[1])
    again = NoiseStream(0)
    again.load_state_dict(state)
    assert torch.equal(draw(again, 10), following[0])


def test_the_seed_is_the_run_s_or_fresh():
    assert noise_seed(CfgNode({"SEED": 5})) == 5 and noise_seed(CfgNode({})) == 0
    torch.manual_seed(0)
    fresh = {noise_seed(CfgNode({"SEED": -1})) for _ in range(3)}
    assert len(fresh) == 3 and min(fresh) >= 0


def test_noise_has_the_published_size():
    noise = NoiseStream(0).draw(torch.Size([400_000]), torch.device("cpu"))
    assert noise.abs().max() == 1.0
    assert noise.std().item() == pytest.approx(0.3325, abs=1e-3)
    assert noise.abs().mean().item() == pytest.approx(0.2657, abs=1e-3)
