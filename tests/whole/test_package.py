"""What is installed: every data file, type information, and requirements that PyPI takes."""

import importlib.util
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements_script():
    spec = importlib.util.spec_from_file_location("requirements", ROOT / "scripts/requirements.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_data_file_is_packaged():
    places = {
        "npt_plugin": ROOT / "npt_plugin",
        "npt_plugin.configs": ROOT / "configs",
        "minidassl": ROOT / "third_party" / "minidassl",
    }
    for package, folder in places.items():
        patterns = PYPROJECT["tool"]["setuptools"]["package-data"][package]
        packaged = {path for pattern in patterns for path in folder.glob(pattern)}
        data = {
            path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in str(path)
        }
        assert {path for path in data if path.suffix != ".py"} == packaged
        assert packaged


def test_requirements_name_no_address_and_have_a_floor():
    project = PYPROJECT["project"]
    lines = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    assert not [line for line in lines if "@" in line or "://" in line]
    script = requirements_script()
    floors = script.floors(script.requirements("dev"))
    assert len(floors) == len(set(floors)) and all(
        re.fullmatch(r"[\w.-]+(\[\w+\])?==[\d.]+", f) for f in floors
    )
    assert any(line.startswith("matplotlib==") for line in floors)  # an extra of an extra
    assert len(script.requirements()) < len(script.requirements("test")) < len(floors)


def test_what_is_missing_or_too_old_is_named():
    problem = requirements_script().problem
    assert problem(["torch>=1.0"]) == ""
    assert problem(["torch>=99"]).startswith("torch>=99 is needed, ")
    assert "no-such-package" in problem(["no-such-package>=1"])


def test_every_ignored_type_says_why():
    for folder in (ROOT / "npt_plugin", ROOT / "third_party"):
        for path in folder.rglob("*.py"):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if "# type: ignore" in line:
                    assert re.search(r"# type: ignore\[[\w, -]+\]  # \w", line), f"{path}:{number}"
