"""De-identify files as a Dagster asset: its metadata holds counts, not names."""

import sys
from pathlib import Path

from dagster import MaterializeResult, asset, materialize

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure


@asset
def clean_scans() -> MaterializeResult:
    deidentifier, failed = Deidentifier(DeidentifyConfig.from_file(sys.argv[1])), 0
    paths = sorted(Path(sys.argv[2]).rglob("*.dcm"))
    for path in paths:
        result = deidentifier.deidentify_bytes(path.read_bytes(), errors="return")
        if isinstance(result, Failure) or result.name is None:
            failed += 1
            continue
        target = Path(sys.argv[3], result.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(result.data)
    return MaterializeResult(metadata={"succeeded": len(paths) - failed, "failed": failed})


if __name__ == "__main__":
    assert materialize([clean_scans]).success
