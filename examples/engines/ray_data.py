"""De-identify files over a Ray cluster: a dataset of bytes, one outcome a file."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import ray.data

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure


def deidentify(row: dict[str, Any], deidentifier: Deidentifier, out: str) -> dict[str, str]:
    result = deidentifier.deidentify_bytes(row["bytes"], errors="return")
    if isinstance(result, Failure) or result.name is None:
        return {"outcome": "failed"}
    target = Path(out, result.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(result.data)
    return {"outcome": "succeeded"}


if __name__ == "__main__":
    config, source, out = sys.argv[1:]
    out = str(Path(out).resolve())  # a Ray worker has a working directory of its own
    deidentifier = Deidentifier(DeidentifyConfig.from_file(config), threads=1)
    files = ray.data.read_binary_files(str(Path(source).resolve()), file_extensions=["dcm"])
    outcomes = files.map(deidentify, fn_args=(deidentifier, out))
    print(dict(Counter(row["outcome"] for row in outcomes.iter_rows())))
