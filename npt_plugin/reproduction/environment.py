"""What the numbers came from, fit to be shared: no path of this machine is in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from npt_plugin.reproduction.comparing import Comparison
from npt_plugin.reproduction.data_at_hand import Verified
from npt_plugin.runs.layout import Place
from npt_plugin.runs.versions import versions


def environment(comparison: Comparison, verified: Mapping[str, Verified]) -> dict[str, Any]:
    """Versions, device and commit here and of every run, hashes of configs, state of the data.

    Args:
        comparison: What was compared.
        verified: By name of the dataset.
    """
    runs = comparison.runs
    seen = Counter(json.dumps(run.record.versions or {}, sort_keys=True) for run in runs)
    seconds = [sum((run.record.seconds or {}).values()) for run in runs]
    peaks = [v for run in runs for v in (run.record.peak_memory or {}).values() if v is not None]
    return {
        "written": date.today().isoformat(),
        "judged_by": versions(),
        "runs": len(runs),
        "run_versions": [{"runs": n, **json.loads(text)} for text, n in seen.most_common()],
        "precision": dict(Counter(run.record.precision or "not recorded" for run in runs)),
        "seconds": round(sum(seconds), 1),
        "peak_memory_mib": max(peaks, default=None),
        "config_hashes": {
            _name(run.place): run.record.config_hash
            for run in sorted(runs, key=lambda run: run.place)
        },
        "datasets": {name: asdict(found) for name, found in verified.items()},
    }


def _name(place: Place) -> str:
    """A run's name: its place below the output folder."""
    return place.folder("").as_posix()
