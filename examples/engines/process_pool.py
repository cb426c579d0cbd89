"""De-identify files over the processes of this machine, with the standard library alone."""

import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure


def deidentify(deidentifier: Deidentifier, out: str, path: Path) -> str:
    result = deidentifier.deidentify_bytes(path.read_bytes(), errors="return")
    if isinstance(result, Failure) or result.name is None:
        return "failed"
    target = Path(out, result.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(result.data)
    return "succeeded"


if __name__ == "__main__":
    config, source, out = sys.argv[1:]
    work = partial(deidentify, Deidentifier(DeidentifyConfig.from_file(config), threads=1), out)
    with ProcessPoolExecutor() as pool:
        print(dict(Counter(pool.map(work, Path(source).rglob("*.dcm"), chunksize=32))))
