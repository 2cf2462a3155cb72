"""Installs ``npt_plugin`` and its stand-in engine ``minidassl``."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = next(
    line.split('"')[1]
    for line in (ROOT / "npt_plugin" / "__init__.py").read_text().splitlines()
    if line.startswith("__version__")
)
ENGINE = ["minidassl", *(f"minidassl.{p}" for p in find_packages("third_party/minidassl"))]

setup(
    name="npt-plugin",
    version=VERSION,
    description="Neural-collapse-anchored prompt tuning of CLIP under class imbalance, for Dassl",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10",
    packages=find_packages(include=["npt_plugin", "npt_plugin.*"]) + ENGINE,
    package_dir={"minidassl": "third_party/minidassl"},
    package_data={"npt_plugin": ["backbone/*.safetensors", "backbone/*.json", "report/*.csv"]},
    install_requires=[
        "torch>=2.1",
        "torchvision>=0.16",
        "clip-anytorch>=2.6,<3",
        "setuptools<81",  # clip-anytorch 2.6 imports pkg_resources, gone in 81
        "numpy",
        "pillow",
        "yacs>=0.1.8",
        "pyyaml",
        "tabulate",
        "tqdm",
        "gdown",
        "tensorboard",
        "safetensors",
        "scikit-learn",
        "scipy",
    ],
    extras_require={
        "reports": ["matplotlib"],
        "dev": ["pytest", "pytest-xdist", "hypothesis", "ruff", "matplotlib"],
        "upstream": [
            "dassl @ git+https://github.com/KaiyangZhou/Dassl.pytorch",
            "clip @ git+https://github.com/openai/CLIP",
        ],
    },
    entry_points={"console_scripts": ["npt=npt_plugin.cli.main:main"]},
)
