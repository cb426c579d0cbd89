"""De-identify a folder as a Dagster asset whose metadata counts the outcomes."""

import sys
from collections import Counter
from pathlib import Path

import dagster as dg

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure


class Folders(dg.Config):
    config: str
    source: str
    out: str


def deidentify(path: Path, deidentifier: Deidentifier, out: str) -> str:
    result = deidentifier.deidentify_bytes(path.read_bytes(), errors="return")
    if isinstance(result, Failure) or result.name is None:
        return "failed"
    target = Path(out, result.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(result.data)
    return "succeeded"


@dg.asset
def deidentified(config: Folders) -> dg.MaterializeResult:
    deidentifier = Deidentifier(DeidentifyConfig.from_file(config.config))
    outcomes = Counter(deidentify(path, deidentifier, config.out) for path in Path(config.source).rglob("*.dcm"))
    return dg.MaterializeResult(metadata=dict(outcomes))


if __name__ == "__main__":
    folders = Folders(**dict(zip(("config", "source", "out"), sys.argv[1:], strict=True)))
    done = dg.materialize([deidentified], run_config=dg.RunConfig({"deidentified": folders}))
    print({key: value.value for key, value in done.asset_materializations_for_node("deidentified")[0].metadata.items()})
