"""What ``pyproject.toml`` cannot say: the package is put together from three folders."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["npt_plugin", "npt_plugin.*"]),
        *find_packages("third_party"),
        "npt_plugin.configs",
    ],
    package_dir={"minidassl": "third_party/minidassl", "npt_plugin.configs": "configs"},
)
