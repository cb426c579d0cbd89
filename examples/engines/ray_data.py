"""De-identify files over a Ray cluster: an actor a process keeps the deidentifier."""

import sys
from pathlib import Path
from typing import Any

import ray.data

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure


class Deidentify:
    """Keeps a deidentifier in an actor."""

    def __init__(self, deidentifier: Deidentifier, out: str) -> None:
        self.deidentifier, self.out = deidentifier, Path(out)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Write one file's result; return what became of it."""
        result = self.deidentifier.deidentify_bytes(row["bytes"], errors="return")
        if isinstance(result, Failure) or result.name is None:
            return {"outcome": "failed"}
        target = self.out / result.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(result.data)
        return {"outcome": "succeeded"}


if __name__ == "__main__":
    deidentifier = Deidentifier(DeidentifyConfig.from_file(sys.argv[1]), threads=1)
    files = ray.data.read_binary_files(str(Path(sys.argv[2]).resolve()))
    done = files.map(Deidentify, fn_constructor_args=(deidentifier, str(Path(sys.argv[3]).resolve())), concurrency=2)
    outcomes = [row["outcome"] for row in done.take_all()]
    print({outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))})
