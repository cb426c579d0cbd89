"""De-identify files over a Spark cluster: ``mapInPandas`` over ``binaryFile``."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Failure

if __name__ == "__main__":
    deidentifier, out = Deidentifier(DeidentifyConfig.from_file(sys.argv[1]), threads=1), Path(sys.argv[3]).resolve()

    def deidentify(batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            results = [deidentifier.deidentify_bytes(data, errors="return") for data in batch["content"]]
            good = [one for one in results if not isinstance(one, Failure) and one.name is not None]
            for one in good:
                target = out / str(one.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(one.data)
            yield pd.DataFrame({"succeeded": [len(good)], "failed": [len(results) - len(good)]})

    spark = SparkSession.builder.getOrCreate()
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(sys.argv[2])
    print(files.mapInPandas(deidentify, "succeeded long, failed long").groupBy().sum().collect()[0].asDict())
