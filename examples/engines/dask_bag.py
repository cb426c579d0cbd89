"""De-identify files over a Dask cluster: a bag of paths, a partition a task."""

import sys
from pathlib import Path

import dask.bag

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure


def deidentify(paths: list[str], deidentifier: Deidentifier, out: str) -> list[str]:
    outcomes: list[str] = []
    for path in paths:
        result = deidentifier.deidentify_bytes(Path(path).read_bytes(), errors="return")
        failed = isinstance(result, Failure) or result.name is None
        outcomes.append("failed" if failed else "succeeded")
        if not isinstance(result, Failure) and result.name is not None:
            target = Path(out, result.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(result.data)
    return outcomes


if __name__ == "__main__":
    deidentifier = Deidentifier(DeidentifyConfig.from_file(sys.argv[1]), threads=1)
    bag = dask.bag.from_sequence([str(path) for path in sorted(Path(sys.argv[2]).rglob("*.dcm"))], partition_size=32)
    print(dict(sorted(bag.map_partitions(deidentify, deidentifier, sys.argv[3]).frequencies().compute())))
