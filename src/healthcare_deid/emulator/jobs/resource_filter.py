"""Filter files (``DicomFilterConfig``): studies, series, instances."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.storage.header import is_uid

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.config.v1.requests import DicomFilterConfig
    from healthcare_deid.emulator.storage.buckets import Buckets
    from healthcare_deid.emulator.storage.instances import StoredInstance

# Google documents a leading slash, but its own tools write lines without it.
_LINE = re.compile(r"/?studies/([0-9.]{1,64})(?:/series/([0-9.]{1,64})(?:/instances/([0-9.]{1,64}))?)?")


def resource_filter(buckets: Buckets, config: DicomFilterConfig | None) -> Callable[[StoredInstance], bool] | None:
    """Read a filter file.

    Returns:
        Filter function; None without a filter file, which selects every instance.

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
            raise invalid(f"Line {number} of the filter file must be /studies/UID[/series/UID[/instances/UID]].")
        uids = tuple(uid for uid in found.groups() if uid)
        if not all(map(is_uid, uids)):
            raise invalid(f"Line {number} of the filter file has an invalid UID.")
        wanted.add(uids)
    return lambda instance: any(
        path in wanted
        for path in (
            (instance.key.study,),
            (instance.key.study, instance.key.series),
            (instance.key.study, instance.key.series, instance.key.instance),
        )
    )
