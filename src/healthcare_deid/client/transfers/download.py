"""`download`: retrieve the instances of a store into files."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.transfers.identifiers import first_value, is_uid
from healthcare_deid.client.transfers.report import ItemResult, TransferReport, failure
from healthcare_deid.client.transfers.runner import OF_ONE, REFUSED, transfer
from healthcare_deid.client.transfers.upload import PREAMBLE
from healthcare_deid.errors import ConfigError, NotFound, ReplyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.client.transfers.dicomweb import DicomWeb

_PAGE = 1000  # the service's default limit of an instance search
_STUDY, _SERIES, _INSTANCE = "0020000D", "0020000E", "00080018"


def download(
    web: DicomWeb,
    folder: Any,
    *,
    study: str | None = None,
    overwrite: bool = False,
    parallel: Any = 8,
    on_progress: Callable[[TransferReport], object] | None = None,
    stop: threading.Event | None = None,
) -> TransferReport:
    """Retrieve instances; see `DeidClient.download`."""
    if not isinstance(folder, str | os.PathLike):
        raise ConfigError(f"folder: must be a path, not {type(folder).__name__}")
    if study is not None and not is_uid(study):
        raise ConfigError("study: must be a Study Instance UID")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    return transfer(
        instances_of(web, study),
        lambda item: _retrieve(web, item, target, overwrite=overwrite),
        parallel=parallel,
        on_progress=on_progress,
        stop=stop,
    )


def instances_of(web: DicomWeb, study: str | None) -> Iterator[tuple[str, str, str]]:
    """Yield study, series and instance UID of every instance."""
    studies = [study] if study is not None else (item[0] for item in _search(web, "/studies", (_STUDY,)))
    for uid in studies:
        if not is_uid(uid):
            yield (uid, "", "")
            continue
        yield from _search(web, f"/studies/{uid}/instances", (_STUDY, _SERIES, _INSTANCE), study=uid)


def _search(web: DicomWeb, path: str, tags: tuple[str, ...], study: str = "") -> Iterator[Any]:
    offset = 0
    before: list[dict[str, Any]] = []
    while True:
        page = web.json(f"{path}?limit={_PAGE}&offset={offset}")
        # A store that ignores offset= returns its first page forever.
        if page and page == before:
            raise ReplyError("the search does not end: every page is the same. The store may not support offset=")
        before = page
        for item in page:
            yield tuple(first_value(item, tag) or (study if tag == _STUDY else "") for tag in tags)
        # A store may return fewer results than requested, so only an empty page marks the end.
        if not page:
            return
        offset += len(page)


def _retrieve(web: DicomWeb, item: tuple[str, str, str], target: Path, *, overwrite: bool) -> ItemResult:
    name = "/".join(item)
    # The UIDs become parts of a URL and of a path. Text such as "../" from a server must not.
    if not all(map(is_uid, item)):
        return failure("failed", name, "the search result has no valid UIDs for this instance")
    study, series, instance = item
    path = target / study / series / f"{instance}.dcm"
    if path.exists() and not overwrite:
        return ItemResult("skipped")
    # Written under a temporary name and renamed, so that a file under its final name is always complete.
    # With process and thread: two downloads into one folder must not share a temporary file.
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _received(web, item, beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        return failure("failed", name, f"the file cannot be written ({type(error).__name__})")


def _received(web: DicomWeb, item: tuple[str, str, str], beside: Path, path: Path) -> ItemResult:
    name, (study, series, instance) = "/".join(item), item
    uri = f"/studies/{study}/series/{series}/instances/{instance}"
    try:
        # As stored: the service transcodes to Explicit VR Little Endian by default.
        web.send("GET", uri, headers={"accept": "application/dicom; transfer-syntax=*"}, into=beside)
    except NotFound as error:  # deleted since the search
        return failure("failed", name, str(error), error.message)
    except REFUSED:
        raise
    except OF_ONE as error:
        return failure("failed", name, str(error), getattr(error, "message", ""))
    with beside.open("rb") as file:
        # A proxy's login page is also HTTP 200.
        if file.read(PREAMBLE + 4)[PREAMBLE:] != b"DICM":
            return failure("failed", name, "the reply is not a DICOM file")
    size = beside.stat().st_size
    beside.replace(path)
    return ItemResult("done", size)
