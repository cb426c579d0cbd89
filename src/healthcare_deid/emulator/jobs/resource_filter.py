"""Filter files: the studies, series and instances of an operation (``DicomFilterConfig``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.config.v1.requests import DicomFilterConfig
    from healthcare_deid.emulator.storage.buckets import Buckets
    from healthcare_deid.emulator.storage.instances import StoredInstance

# Google documents the leading slash; its own tools write lines without it.
_LINE = re.compile(r"/?studies/([0-9.]{1,64})(?:/series/([0-9.]{1,64})(?:/instances/([0-9.]{1,64}))?)?")


def resource_filter(buckets: Buckets, config: DicomFilterConfig | None) -> Callable[[StoredInstance], bool] | None:
    """Read a filter file; None without one, which means every instance.

    Raises:
        ServiceError: The file cannot be read, or a line is not a resource path.
    """
    if config is None or config.resource_paths_gcs_uri is None:
        return None
    wanted: set[tuple[str, ...]] = set()
    lines = buckets.read(config.resource_paths_gcs_uri).decode("utf-8-sig", "replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if not found:
            raise invalid(f"Line {number} of the filter file is not /studies/UID[/series/UID[/instances/UID]].")
        wanted.add(tuple(uid for uid in found.groups() if uid))
    return lambda instance: any(
        path in wanted
        for path in (
            (instance.key.study,),
            (instance.key.study, instance.key.series),
            (instance.key.study, instance.key.series, instance.key.instance),
        )
    )
