"""Flows for ``operations.get``, ``list`` and ``cancel``, and for polling."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.client.protocol import methods as table
from healthcare_deid.client.protocol.operation_state import OperationSnapshot, parse_operation
from healthcare_deid.client.protocol.polling import PollJob, sort_page
from healthcare_deid.errors import DeidError, ReplyError

if TYPE_CHECKING:
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.names import DatasetName, OperationName


def get_operation(context: CallContext, name: OperationName, version: str | None = None) -> Flow[OperationSnapshot]:
    """Send ``operations.get``."""
    reply = yield from context.send(context.call(table.OPERATIONS_GET, name, version=version))
    return parse_operation(reply.json, expected=name)


def operations_page(
    context: CallContext, dataset: DatasetName, token: str
) -> Flow[tuple[list[OperationSnapshot], str]]:
    """Fetch one page of ``operations.list``."""
    items, token = yield from context.items(table.OPERATIONS_LIST, dataset, "operations", token)
    return [parse_operation(item) for item in items], token


def cancel_operation(context: CallContext, name: OperationName, version: str | None = None) -> Flow[None]:
    """Send ``operations.cancel``."""
    yield from context.send(context.call(table.OPERATIONS_CANCEL, name, body={}, version=version))


def poll(context: CallContext, job: PollJob) -> Flow[tuple[dict[int, OperationSnapshot | DeidError], int]]:
    """Poll each operation of a job once.

    Returns:
        State or error by ``id(tracker)``, and the number of list pages fetched.
    """
    found: dict[int, OperationSnapshot | DeidError] = {}
    pages, token = 0, ""
    seen: set[str] = set()
    timeout = max(tracker.timeout for tracker in job.trackers)
    # No retries: the next poll is the retry, and PollPolicy sets its pause.
    once = replace(context, retry=type(context.retry).never(), api_version=job.version, timeout=timeout)
    try:
        while job.by_list and len(found) < len(job.trackers) and (token or not pages):
            if token in seen:
                raise ReplyError("the list does not end, its page token repeats")
            seen.add(token)
            items, token = yield from once.items(table.OPERATIONS_LIST, job.dataset, "operations", token)
            pages += 1
            found.update(sort_page(items, job.trackers))
    except DeidError as error:
        return {id(tracker): found.get(id(tracker), error) for tracker in job.trackers}, pages
    # An operation missing from a complete list has expired, or the list lags. Only operations.get can tell.
    for tracker in job.trackers:
        if id(tracker) not in found:
            try:
                found[id(tracker)] = yield from get_operation(once, tracker.name)
            except DeidError as error:
                found[id(tracker)] = error
    return found, pages
