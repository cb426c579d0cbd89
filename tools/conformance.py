"""Ask a Cloud Healthcare API what its documentation does not say, and compare the answers with the emulator's guesses.

Run it with credentials of a Google project (``gcloud auth application-default login``) and the permission to make
datasets in it::

    pip install "healthcare-deid[local]"
    python tools/conformance.py --project my-project --location us-central1 --out report.json

or against an emulator on a port, with ``--endpoint http://localhost:8085``. It makes a dataset of its own, stores
invented instances in it, de-identifies them in a few ways, looks at the results, and deletes the dataset. Billed as any
other use. The report holds facts about invented data: no error's text, and no name of the project.

    python tools/conformance.py --compare a.json b.json
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import conformance_calls  # noqa: F401 - registers its observations
import conformance_pixels  # noqa: F401 - likewise
import conformance_results  # noqa: F401 - likewise
from conformance_lab import STUDIES, Lab, is_loopback
from conformance_rows import NOT_OBSERVED, OBSERVATIONS

from healthcare_deid._version import __version__
from healthcare_deid.emulator.fidelity import TABLE

GOOGLE = "https://healthcare.googleapis.com"
_PLAN = f"""\
This will, at {{endpoint}}, in project {{project}}, location {{location}}:
  make a dataset conformance-<random> with about 70 small DICOM stores and two empty FHIR stores, and two
    datasets more by de-identification;
  store {STUDIES + 4} invented instances, 2 MB in all, and a few more on the way;
  de-identify two of them about 15 times, 101 of them twice, the pixels of four once, empty stores about 20 times;
  delete these datasets. Nothing else is read or written{{bucket}}."""
_PLAN_BUCKET = """
  but the bucket {bucket}: an invented instance is exported to it, below conformance-<random>/, and stays there\
"""


def record(http: Any, endpoint: str, project: str, location: str, bucket: str | None = None) -> dict[str, Any]:
    """Look at everything, and return the report.

    Args:
        http: What sends, in the shape of ``httplib2.Http``.
        endpoint: Where to.
        project: Where the datasets are made.
        location: Likewise.
        bucket: A bucket of Cloud Storage that the service may write to; None leaves out what needs one.

    A row whose observation breaks has the kind of the error in place of facts, and the others go on.
    """
    rows = {row.id: row for row in TABLE}
    records: list[dict[str, Any]] = []
    not_observed = dict(NOT_OBSERVED)
    with Lab(http, endpoint, project, location, bucket) as lab:
        for observation in OBSERVATIONS:
            if observation.needs_bucket and bucket is None:
                not_observed[observation.id] = "Needs a bucket: --bucket"
                continue
            try:
                observed = observation.look(lab)
            except Exception as error:  # noqa: BLE001 - the service may do anything; its texts stay out of the report
                observed = {"could not be observed": type(error).__name__}
            records.append(
                {
                    "id": observation.id,
                    "question": rows[observation.id].subject,
                    "observed": observed,
                    "default": observation.default,
                    "stated": rows[observation.id].default,
                    "agrees": observed == observation.default,
                }
            )
    return {
        "endpoint": urlsplit(endpoint).hostname,
        "location": location,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "package": __version__,
        "records": sorted(records, key=lambda item: str(item["id"])),
        "not_observed": not_observed,
        "left_behind": lab.left_behind,
    }


def differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Return a line for every fact that two reports do not share."""
    lines: list[str] = []
    before, after = ({item["id"]: item["observed"] for item in report["records"]} for report in (first, second))
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, {}), after.get(name, {})
        lines += [
            f"{name} {fact}: {json.dumps(old.get(fact))} | {json.dumps(new.get(fact))}"
            for fact in [*old, *(fact for fact in new if fact not in old)]
            if old.get(fact) != new.get(fact)
        ]
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code is 1 when something differs, 2 when something was left behind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--project")
    parser.add_argument("--location", default="us-central1")
    parser.add_argument("--endpoint", default=GOOGLE)
    parser.add_argument("--bucket", help="a bucket that the service's agent may write to, for what needs one")
    parser.add_argument("--out", type=Path, default=Path("report.json"))
    parser.add_argument("--yes", action="store_true", help="do not ask before making anything")
    parser.add_argument("--compare", nargs=2, type=Path, metavar="REPORT")
    given = parser.parse_args(arguments)
    if given.compare:
        found = differences(*(json.loads(path.read_text("utf-8")) for path in given.compare))
        print("\n".join(found) or "no differences")
        return bool(found)
    if not given.project:
        parser.error("--project is needed")
    bucket = _PLAN_BUCKET.format(bucket=given.bucket) if given.bucket else ""
    print(_PLAN.format(endpoint=given.endpoint, project=given.project, location=given.location, bucket=bucket))
    if not given.yes and input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        return 1
    report = record(_transport(given.endpoint), given.endpoint, given.project, given.location, given.bucket)
    given.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return _summary(report, given.out)


def _summary(report: dict[str, Any], out: Path) -> int:
    differing = [item for item in report["records"] if not item["agrees"]]
    for item in differing:
        print(f"{item['id']} {item['question']}\n  observed {item['observed']}\n  default  {item['default']}")
    print(f"{len(report['records']) - len(differing)} of {len(report['records'])} rows agree; written to {out}")
    return 2 if report["left_behind"] else int(bool(differing))


def _transport(endpoint: str) -> Any:
    import httplib2

    plain = httplib2.Http(timeout=120)
    if is_loopback(endpoint):
        return plain
    if urlsplit(endpoint).scheme != "https":
        raise SystemExit("--endpoint: the access token would travel unencrypted; use https://")
    import google.auth
    import google_auth_httplib2

    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-healthcare"])
    return google_auth_httplib2.AuthorizedHttp(credentials, http=plain)


if __name__ == "__main__":
    sys.exit(main())
