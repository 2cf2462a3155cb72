"""Run a host's own ``train.py``, unedited, with our trainers, datasets and config keys in it."""

from __future__ import annotations

import importlib
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import npt_plugin
from npt_plugin.errors import UserError
from npt_plugin.hosts.project import PlainFolders, dassl_to_use
from npt_plugin.system.exit_codes import exit_code


def main(argv: Sequence[str]) -> int:
    """Run ``argv[0]`` with the remaining arguments, as ``python argv[0] ...`` would.

    Returns:
        An exit code of ``system/exit_codes.py``; a script's own ``sys.exit`` stands.
    """
    return exit_code(run, argv[0], list(argv[1:]))


def run(script: str, arguments: list[str]) -> None:
    """Prepare Dassl, then execute the script as ``__main__``.

    Where it builds its trainer by ``build_trainer``, it reads its own name for an ``NPT_X`` of the
    command line, see ``asked.py``.

    Raises:
        UserError: If the script does not exist, or for any mistake made in the run.
    """
    path = Path(script)
    if not path.is_file():
        raise UserError(f"There is no script {script}: give the path of a project's train.py.")
    enter_project(path.resolve().parent)
    prepare_dassl()
    asked = importlib.import_module("npt_plugin.hosts.asked")
    wanted = asked.Asked()
    if asked.builds_by_name(path.read_text(encoding="utf-8", errors="replace")):
        arguments, wanted = asked.own_names(arguments)
    asked.build_what_is_asked(wanted)
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    except Exception as error:
        lacking = importlib.import_module("npt_plugin.hosts.lacking")
        raise lacking.as_sentence(error) from error
    if wanted.variant and not wanted.built:
        raise UserError(
            f"{script} ended without building {wanted.own}: {wanted.variant} took no part in it."
        )


def enter_project(folder: Path) -> None:
    """Let the project's folder lead the import path, as for ``python train.py``.

    ``python -m`` put the current folder there. Should we have been found in it, we stay importable
    through its end, where no module of ours hides one of the project's.
    """
    ours = str(Path(npt_plugin.__file__).resolve().parent.parent)
    sys.path[0] = str(folder)
    if ours not in sys.path:
        sys.path.append(ours)
    sys.meta_path.insert(0, PlainFolders(folder))
    dassl = dassl_to_use(folder)
    if dassl is not None:
        sys.path.insert(1, str(dassl))


def prepare_dassl() -> None:
    """Make ``import dassl`` work, repaired, with our keys in its default config; say which it is.

    Where the project brings none and none is installed, our stand-in takes its name.
    """
    # now: a project may bring its own Dassl
    from npt_plugin.engine import framework, joining, no_gpu, repair

    if framework.BACKEND == "minidassl":
        importlib.import_module("minidassl.compat").install_as_dassl()
        repair.allow_schedules_of_dassl()
    print(f"NPT: {framework.described()}")
    no_gpu.mean_the_cpu()
    kept_config = importlib.import_module("npt_plugin.hosts.kept_config")
    joining.extend_defaults(importlib.import_module("dassl.config"), kept_config.extend_and_keep)
