"""De-identify files over the processes of this machine, with the standard library alone."""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure

deidentifier = Deidentifier(DeidentifyConfig.from_file(sys.argv[1]), threads=1)


def deidentify(path: Path) -> str:
    result = deidentifier.deidentify_bytes(path.read_bytes(), errors="return")
    if isinstance(result, Failure) or result.name is None:
        return "failed"
    target = Path(sys.argv[3], result.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(result.data)
    return "succeeded"


if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        outcomes = list(pool.map(deidentify, sorted(Path(sys.argv[2]).rglob("*.dcm")), chunksize=32))
    print({outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))})
