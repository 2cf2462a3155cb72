"""Where another Dassl is needed, one sentence says so; other errors stay as they are."""

from __future__ import annotations

import pytest

from npt_plugin.engine.framework import SimpleTrainer, build_trainer, described
from npt_plugin.errors import UserError
from npt_plugin.hosts.lacking import as_sentence


class Projecting(SimpleTrainer):
    def __init__(self) -> None:
        """Nothing is built."""


def raised(action) -> Exception:
    try:
        action()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def wrapped(action):
    """As scripts do that catch whatever happens."""
    try:
        action()
    except Exception:
        raise Exception("The task does not run successfully!")  # noqa: B904


def import_absent() -> None:
    raise ImportError("cannot import name 'MixStyle' from 'dassl.modeling.ops'", name="dassl.ops")


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize(
    "action, words",
    [
        (import_absent, "import fails (cannot import name 'MixStyle'"),
        (lambda: Projecting().prograd_backward_and_update(1), "Projecting asks for 'prograd_b"),
        (lambda: build_trainer(None, name="Other"), "calls build_trainer with 'name'"),
    ],
)
def test_what_only_another_dassl_has_is_named(action, words, wrap) -> None:
    error = as_sentence(raised((lambda: wrapped(action)) if wrap else action))
    assert isinstance(error, UserError)
    assert words in str(error) and described() in str(error) and "README" in str(error)


def test_a_mistake_that_a_script_wrapped_is_still_one_sentence() -> None:
    mistake = UserError("Do this.")

    def make() -> None:
        raise mistake

    assert as_sentence(raised(lambda: wrapped(make))) is mistake


@pytest.mark.parametrize("wrap", [False, True])
def test_a_module_that_a_project_lacks_is_named(wrap) -> None:
    def action() -> None:
        __import__("no_such_module.at_all")

    error = as_sentence(raised((lambda: wrapped(action)) if wrap else action))
    assert isinstance(error, UserError) and "imports no_such_module, which is neither" in str(error)


@pytest.mark.parametrize(
    "action",
    [
        lambda: {}["x"],
        lambda: (1).nothing,
        lambda: __import__("npt_plugin.nothing"),
        lambda: raised(1, name=2),
    ],
)
def test_other_errors_stay(action) -> None:
    error = raised(action)
    assert as_sentence(error) is error


@pytest.mark.parametrize("wrap", [False, True])
def test_ctrl_c_that_a_script_wrapped_is_still_ctrl_c(wrap) -> None:
    """A bare ``except`` turns it into an error like any other."""

    def action() -> None:
        try:
            raise KeyboardInterrupt
        except:  # noqa: E722
            raise Exception("The task does not run successfully!")  # noqa: B904

    error = as_sentence(raised((lambda: wrapped(action)) if wrap else action))
    assert isinstance(error, KeyboardInterrupt)
