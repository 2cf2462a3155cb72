"""What tests of stored features share."""

import pytest


@pytest.fixture
def decoded(monkeypatch):
    """Paths of the images that were read."""
    from npt_plugin.datasets import images

    paths, real = [], images.read_image
    monkeypatch.setattr(images, "read_image", lambda path: paths.append(path) or real(path))
    return paths
