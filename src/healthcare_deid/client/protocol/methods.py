"""Table of the API's methods: ID, verb, path and retry safety.

Source: the API's discovery documents. They are not read at run time, because importing ``googleapiclient.discovery``
takes longer than a request. A test compares this table with the documents in the installed google-api-python-client,
for both API versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote


class Safety(Enum):
    """Effect of sending a request twice."""

    READ = "read"
    """No effect. Every transient failure is retried."""
    START = "start"
    """Starts a second operation. Retried only if the first attempt certainly did nothing."""
    CREATE = "create"
    """Creates a resource at once. As START, but without an operation to look for."""
    CANCEL = "cancel"
    """No further effect."""
    DELETE = "delete"
    """No further effect. NOT_FOUND on a retry counts as success."""


@dataclass(frozen=True, slots=True)
class Method:
    """One API method."""

    id: str
    """ID in the discovery document."""
    verb: str
    path: str
    """Path below the API version; ``{name}`` is the full resource name."""
    safety: Safety
    long_running: str = ""
    """Last part of ``apiMethodName`` in the operation that it starts, if it starts one."""

    def path_of(self, name: object) -> str:
        """Return the percent-encoded path for a resource."""
        # "?" and "#" in a name must not turn the request into one for another method.
        return self.path.replace("{name}", quote(str(name), safe="/:"))


_DATASETS = "healthcare.projects.locations.datasets"
_DICOM = f"{_DATASETS}.dicomStores"
_FHIR = f"{_DATASETS}.fhirStores"
_OPERATIONS = f"{_DATASETS}.operations"

DATASETS_CREATE = Method(f"{_DATASETS}.create", "POST", "{name}/datasets", Safety.START, "CreateDataset")
DATASETS_GET = Method(f"{_DATASETS}.get", "GET", "{name}", Safety.READ)
DATASETS_LIST = Method(f"{_DATASETS}.list", "GET", "{name}/datasets", Safety.READ)
DATASETS_DELETE = Method(f"{_DATASETS}.delete", "DELETE", "{name}", Safety.DELETE)
DATASETS_DEIDENTIFY = Method(f"{_DATASETS}.deidentify", "POST", "{name}:deidentify", Safety.START, "DeidentifyDataset")
DATASETS_TEST_PERMISSIONS = Method(f"{_DATASETS}.testIamPermissions", "POST", "{name}:testIamPermissions", Safety.READ)
DICOM_STORES_CREATE = Method(f"{_DICOM}.create", "POST", "{name}/dicomStores", Safety.CREATE)
DICOM_STORES_GET = Method(f"{_DICOM}.get", "GET", "{name}", Safety.READ)
DICOM_STORES_LIST = Method(f"{_DICOM}.list", "GET", "{name}/dicomStores", Safety.READ)
DICOM_STORES_DELETE = Method(f"{_DICOM}.delete", "DELETE", "{name}", Safety.DELETE)
DICOM_STORES_METRICS = Method(f"{_DICOM}.getDICOMStoreMetrics", "GET", "{name}:getDICOMStoreMetrics", Safety.READ)
DICOM_STORES_DEIDENTIFY = Method(
    f"{_DICOM}.deidentify", "POST", "{name}:deidentify", Safety.START, "DeidentifyDicomStore"
)
DICOM_STORES_IMPORT = Method(f"{_DICOM}.import", "POST", "{name}:import", Safety.START, "ImportDicomData")
DICOM_STORES_EXPORT = Method(f"{_DICOM}.export", "POST", "{name}:export", Safety.START, "ExportDicomData")
DICOM_STORES_TEST_PERMISSIONS = Method(f"{_DICOM}.testIamPermissions", "POST", "{name}:testIamPermissions", Safety.READ)
FHIR_STORES_GET = Method(f"{_FHIR}.get", "GET", "{name}", Safety.READ)
FHIR_STORES_LIST = Method(f"{_FHIR}.list", "GET", "{name}/fhirStores", Safety.READ)
FHIR_STORES_METRICS = Method(f"{_FHIR}.getFHIRStoreMetrics", "GET", "{name}:getFHIRStoreMetrics", Safety.READ)
FHIR_STORES_DEIDENTIFY = Method(f"{_FHIR}.deidentify", "POST", "{name}:deidentify", Safety.START, "DeidentifyFhirStore")
FHIR_STORES_TEST_PERMISSIONS = Method(f"{_FHIR}.testIamPermissions", "POST", "{name}:testIamPermissions", Safety.READ)
OPERATIONS_GET = Method(f"{_OPERATIONS}.get", "GET", "{name}", Safety.READ)
OPERATIONS_LIST = Method(f"{_OPERATIONS}.list", "GET", "{name}/operations", Safety.READ)
OPERATIONS_CANCEL = Method(f"{_OPERATIONS}.cancel", "POST", "{name}:cancel", Safety.CANCEL)

# Collected from the constants above, so that a new method cannot be missing.
METHODS: dict[str, Method] = {method.id: method for method in list(globals().values()) if isinstance(method, Method)}
"""Methods that the client calls, by ID."""

LONG_RUNNING: frozenset[str] = frozenset(
    method.long_running.lower() for method in METHODS.values() if method.long_running
)
"""Known last parts of ``apiMethodName``, in lower case."""
