"""QIDO-RS: searches for studies, series and instances.

Source: PS3.18 section 10.6.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_VR

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.handlers.dicomweb.matching import SearchKey, search_tags
from healthcare_deid.emulator.http.reply import Reply

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.storage.database import Database

_STUDY = (
    "00080005 00080020 00080030 00080050 00080056 00080090 00080201 00100010 00100020 00100030 00100040 "
    "0020000D 00200010"
)
_SERIES = "00080005 00080060 00080201 0008103E 0020000D 0020000E 00200011 00400244 00400245 00400275"
_INSTANCE = (
    "00020010 00080005 00080016 00080018 00080056 00080201 00083002 0020000D 0020000E 00200013 00280008 00280010 "
    "00280011 00280100"
)
# Attributes of type R in PS3.18 tables 10.6.3-3 to 10.6.3-5. Every result has them, if necessary without a value (PS3.4
# section C.2.2.1.1; fidelity F-36). Viewers rely on this.
_REQUIRED = {
    "study": "00080020 00080030 00080050 00080090 00100010 00100020 00100030 00100040 00200010",
    "series": "00080060 00200011",
    "instance": "00080016 00200013",
}
_MAX_OFFSET = 1_000_000
# SQLite functions accept at most 127 arguments.
_MAX_EXTRACTED = 100
_COLUMNS = {
    "0020000D": "study",
    "0020000E": "series",
    "00080018": "instance",
    "00100020": "patient_id",
    "00080020": "study_date",
    "00080050": "accession_number",
    "00080060": "modality",
    # A study matches ModalitiesInStudy if one of its series has the modality.
    "00080061": "modality",
}


class SearchLevel(Enum):
    """Level of a search: number of UIDs, default limit, largest limit.

    Source: the service's quotas page.
    """

    STUDIES = (1, 100, 5_000)
    SERIES = (2, 100, 5_000)
    INSTANCES = (3, 1_000, 50_000)

    @property
    def columns(self) -> tuple[str, ...]:
        """Index columns that identify a result."""
        return ("study", "series", "instance")[: self.value[0]]

    @property
    def limits(self) -> tuple[int, int]:
        """Default and largest limit."""
        return self.value[1], self.value[2]


@dataclass(frozen=True, slots=True)
class Query:
    """Parsed search.

    Attributes:
        level: Level of the results.
        keys: Conditions, joined by AND.
        include: Attributes to return besides those of the level; None for all.
        limit: Maximum number of results.
        offset: Number of results to skip.
    """

    level: SearchLevel
    keys: tuple[SearchKey, ...]
    include: frozenset[str] | None
    limit: int
    offset: int


def parse_query(level: SearchLevel, pairs: tuple[tuple[str, str], ...]) -> Query:
    """Parse the parameters of a search.

    Raises:
        ServiceError: 400: an attribute is unknown, or a limit or offset is out of range.
    """
    fuzzy = any(name.lower() == "fuzzymatching" and value.lower() == "true" for name, value in pairs)
    default, largest = level.limits
    limit, offset = default, 0
    keys: list[SearchKey] = []
    include: set[str] | None = set()
    for name, value in pairs:
        match name.lower():
            case "fuzzymatching":
                if value.lower() not in {"true", "false"}:
                    raise invalid("fuzzymatching must be true or false.")
            case "limit":
                limit = _bounded_number(name, value, largest)
            case "offset":
                offset = _bounded_number(name, value, _MAX_OFFSET)
            case "includefield":
                include = _included(include, value)
            case _:
                tags = search_tags(name)
                if value not in {"", "*"}:  # universal matching (PS3.4 section C.2.2.2.3)
                    keys.append(SearchKey(tags, value, fuzzy))
    return Query(level, tuple(keys), None if include is None else frozenset(include), limit, offset)


def search(
    database: Database, store: str, request: Request, level: SearchLevel, study: str | None, series: str | None
) -> Reply:
    """Run a search.

    An empty result is 204.

    Raises:
        ServiceError: 400: the query is invalid.
    """
    query = parse_query(level, request.query)
    within = [(column, value) for column, value in (("study", study), ("series", series)) if value is not None]
    alone = study is None
    with database.read() as connection:
        rows = _find(connection, store, query, within, _shown(query, alone=alone))
        base = f"{request.base_url}/v1/{store}/dicomWeb"
        results = [_result(connection, row, query, base, alone=alone) for row in rows]
    if not results:
        return Reply(204)
    body = json.dumps(results, ensure_ascii=False).encode()
    return Reply(200, {"content-type": "application/dicom+json"}, body)


def _shown(query: Query, *, alone: bool) -> frozenset[str] | None:
    """Return the attributes in the results.

    None stands for all attributes.
    """
    if query.include is None:
        return None
    level = query.level
    shown = {SearchLevel.STUDIES: _STUDY, SearchLevel.SERIES: _SERIES, SearchLevel.INSTANCES: _INSTANCE}[level]
    if alone and level is not SearchLevel.STUDIES:  # a search across studies also returns the study of each result
        shown = f"{_STUDY} {_SERIES} {shown}"
    return frozenset([*shown.split(), *query.include, *(key.tags[0] for key in query.keys)])


@dataclass(frozen=True, slots=True)
class _ResultRow:
    """Instance that represents a result, with the requested attributes."""

    store: str
    study: str
    series: str
    instance: str
    attributes: dict[str, Any]


def _find(
    connection: sqlite3.Connection,
    store: str,
    query: Query,
    within: list[tuple[str, str]],
    shown: frozenset[str] | None,
) -> list[_ResultRow]:
    """Return one matching instance per result, ordered by UID."""
    conditions, values = ["store = ?"], [store]
    for column, value in within:
        conditions.append(f"{column} = ?")
        values.append(value)
    rest = [key for key in query.keys if not _in_sql(key, conditions, values)]
    columns = ", ".join(query.level.columns)
    # Only column names are part of the SQL text, never values.
    where = " AND ".join(conditions)
    given: tuple[object, ...]
    if rest:
        chosen = "SELECT value FROM json_each(?)"
        given = (json.dumps(_matching(connection, where, values, query, rest)),)
    else:
        # Groups come from the indexes, and one row with its long text is read per group. The unary plus keeps SQLite
        # from scanning the whole store in group order if another index finds the few matches.
        order = ", ".join(f"+{column}" for column in query.level.columns) if len(conditions) > 1 else columns
        # The oldest instance represents a result, so that a result does not change when instances are added.
        chosen = f"SELECT min(id) FROM instances WHERE {where} GROUP BY {order} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        given = (*values, query.limit, query.offset)
    picked, paths, read = _picked(shown)
    sql = f"SELECT store, study, series, instance, {picked} FROM instances WHERE id IN ({chosen}) ORDER BY {columns}"  # noqa: S608
    return [
        _ResultRow(store, study, series, instance, read(text))
        for store, study, series, instance, text in connection.execute(sql, (*paths, *given))
    ]


def _matching(
    connection: sqlite3.Connection, where: str, values: list[str], query: Query, keys: list[SearchKey]
) -> list[int]:
    """Compare all candidate instances with the keys.

    Returns the row ID of one instance per result.
    """
    columns = ", ".join(query.level.columns)
    picked, paths, read = _picked(frozenset(key.tags[0] for key in keys))
    literals = [f"%{literal}%" for key in keys if (literal := key.literal)]
    # SQLite's LIKE ignores case for ASCII only. An instance with other characters, which is longer in bytes than in
    # characters, is therefore always compared in Python.
    other = "length(attributes) <> length(CAST(attributes AS BLOB))"
    where += "".join(f" AND (attributes LIKE ? OR {other})" for _ in literals)
    sql = f"SELECT id, {picked}, {columns} FROM instances WHERE {where} ORDER BY {columns}"  # noqa: S608
    found: list[int] = []
    previous: list[str] = []
    for number, text, *uids in connection.execute(sql, (*paths, *values, *literals)):
        if uids != previous:
            attributes = read(text)
            if all(key.matches(attributes) for key in keys):
                previous = uids
                found.append(number)
                if len(found) == query.offset + query.limit:
                    break
    return found[query.offset :]


def _picked(tags: frozenset[str] | None) -> tuple[str, list[str], Callable[[str], dict[str, Any]]]:
    """Return an SQL expression for some attributes, its parameters, and a parser.

    SQLite extracts a few attributes many times faster than Python parses all of them.
    """
    if tags is None or len(tags) > _MAX_EXTRACTED:
        return "attributes", [], json.loads
    names = sorted(tags)
    # json_extract returns an array only for two or more paths, so a single path is given twice.
    paths = [f'$."{name}"' for name in names] * (2 if len(names) == 1 else 1)

    def read(text: str) -> dict[str, Any]:
        return {name: value for name, value in zip(names, json.loads(text), strict=False) if value is not None}

    return f"json_extract(attributes, {', '.join('?' * len(paths))})", paths, read


def _in_sql(key: SearchKey, conditions: list[str], values: list[str]) -> bool:
    """Add the SQL condition for a key.

    Returns False if the key cannot be expressed in SQL.
    """
    column = _COLUMNS.get(key.tags[0]) if len(key.tags) == 1 else None
    if column is None:
        return False
    exact, bounds = key.exact_values, key.bounds
    if exact is not None:
        conditions.append(f"{column} IN ({', '.join('?' * len(exact))})")
        values.extend(exact)
        return True
    if bounds is not None:
        # An instance without a date matches no range.
        conditions.append(f"{column} <> '' AND {column} >= ? AND {column} <= ?")
        # Sorts after every date.
        values.extend((bounds[0], bounds[1] or "99999999"))
        return True
    return False


def _result(
    connection: sqlite3.Connection, found: _ResultRow, query: Query, base: str, *, alone: bool
) -> dict[str, Any]:
    level = query.level
    result = _without_bulk(found.attributes)
    for name in level.columns if alone else level.columns[-1:]:
        for tag in _REQUIRED[name].split():
            result.setdefault(tag, {"vr": dictionary_VR(int(tag, 16))})
    url = f"{base}/studies/{found.study}"
    if level is SearchLevel.STUDIES:
        result |= _study_counts(connection, found)
    else:
        url += f"/series/{found.series}"
        if level is SearchLevel.SERIES:
            result |= _series_counts(connection, found)
        else:
            url += f"/instances/{found.instance}"
    result["00081190"] = {"vr": "UR", "Value": [url]}
    return dict(sorted(result.items()))


def _study_counts(connection: sqlite3.Connection, found: _ResultRow) -> dict[str, Any]:
    counts = connection.execute(
        "SELECT count(DISTINCT series) AS series, count(*) AS instances, "
        "group_concat(DISTINCT nullif(modality, '')) AS modalities FROM instances WHERE store = ? AND study = ?",
        (found.store, found.study),
    ).fetchone()
    modalities = sorted((counts["modalities"] or "").split(",")) if counts["modalities"] else []
    made: dict[str, Any] = {
        "00201206": {"vr": "IS", "Value": [counts["series"]]},
        "00201208": {"vr": "IS", "Value": [counts["instances"]]},
    }
    # OHIF 3.13 fails on an empty ModalitiesInStudy, but accepts its absence.
    return made | ({"00080061": {"vr": "CS", "Value": modalities}} if modalities else {})


def _series_counts(connection: sqlite3.Connection, found: _ResultRow) -> dict[str, Any]:
    (count,) = connection.execute(
        "SELECT count(*) FROM instances WHERE store = ? AND study = ? AND series = ?",
        (found.store, found.study, found.series),
    ).fetchone()
    return {"00201209": {"vr": "IS", "Value": [count]}}


def _without_bulk(attributes: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for tag, attribute in attributes.items():
        if attribute.get("vr") == "SQ" and "Value" in attribute:
            made[tag] = {**attribute, "Value": [_without_bulk(item) for item in attribute["Value"]]}
        elif "BulkDataURI" not in attribute:
            made[tag] = attribute
    return made


def _bounded_number(name: str, value: str, largest: int) -> int:
    if not (value.isascii() and value.isdigit()) or int(value[:10]) > largest or len(value) > len(str(largest)) + 3:
        raise invalid(f"{name} must be a number from 0 to {largest}.")
    return int(value)


def _included(include: set[str] | None, value: str) -> set[str] | None:
    if include is None or value.strip().lower() == "all":
        return None
    return include | {search_tags(name.strip())[0] for name in value.split(",") if name.strip()}
