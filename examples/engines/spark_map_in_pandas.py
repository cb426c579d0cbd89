"""De-identify files over a Spark cluster: ``binaryFile`` in, one outcome a file."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure


def deidentify(data: bytes, deidentifier: Deidentifier, out: str) -> str:
    result = deidentifier.deidentify_bytes(data, errors="return")
    if isinstance(result, Failure) or result.name is None:
        return "failed"
    target = Path(out, result.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(result.data)
    return "succeeded"


if __name__ == "__main__":
    config, source, out = sys.argv[1:]
    deidentifier = Deidentifier(DeidentifyConfig.from_file(config), threads=1)

    def partition(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            yield pd.DataFrame({"outcome": [deidentify(data, deidentifier, out) for data in batch["content"]]})

    spark = SparkSession.builder.getOrCreate()
    files = spark.read.format("binaryFile").option("recursiveFileLookup", True).option("pathGlobFilter", "*.dcm")
    outcomes = files.load(source).select("content").mapInPandas(partition, "outcome string")
    print({row["outcome"]: row["count"] for row in outcomes.groupBy("outcome").count().collect()})
