"""De-identify files over a Dask cluster: a bag of paths, a partition a task."""

import sys
from pathlib import Path

import dask.bag

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure


def deidentify(path: str, deidentifier: Deidentifier, out: str) -> str:
    result = deidentifier.deidentify_bytes(Path(path).read_bytes(), errors="return")
    if isinstance(result, Failure) or result.name is None:
        return "failed"
    target = Path(out, result.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(result.data)
    return "succeeded"


if __name__ == "__main__":
    config, source, out = sys.argv[1:]
    bag = dask.bag.from_sequence(map(str, Path(source).rglob("*.dcm")), partition_size=32)
    deidentifier = Deidentifier(DeidentifyConfig.from_file(config), threads=1)
    print(dict(bag.map(deidentify, deidentifier=deidentifier, out=out).frequencies().compute()))
