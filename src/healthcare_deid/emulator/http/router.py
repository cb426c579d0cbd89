"""The whole service as a function from a request to a reply. Nothing here knows a socket."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import Code, ServiceError, invalid
from healthcare_deid.emulator.http.field_masks import select
from healthcare_deid.emulator.http.payload import MOST_IN_MEMORY
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.errors import ResourceNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.emulator.clock import Clock
    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.http.routes import Routes

_LOG = logging.getLogger(__name__)


class Router:
    """Dispatch of requests.

    Args:
        routes: Methods of the API.
        control: Handler of the emulator's own routes; it returns None for a request that is not one of them.
        faults: Planned faults.
        clock: Clock that planned delays advance.
    """

    def __init__(
        self, routes: Routes, control: Callable[[Request], Reply | None], faults: FaultPlan, clock: Clock
    ) -> None:
        self._routes = routes
        self._control = control
        self._faults = faults
        self._clock = clock

    def handle(self, request: Request) -> Reply:
        """Answer a request; every failure but a dropped connection becomes an error reply.

        Raises:
            Dropped: The fault plan drops this connection.
        """
        try:
            return _finished(self._answer(request), request)
        except ServiceError as error:
            failure = error
        except ResourceNameError as error:
            failure = invalid(f"Invalid resource name: {error}")
        except (RecursionError, UnicodeError, OverflowError):
            # Unpaired surrogates in JSON, numbers beyond 64 bits, and nesting beyond Python's stack.
            failure = invalid("The request has text that is not Unicode, a number out of range, or too many levels.")
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - a reply must come, whatever happened
            # The text of an unforeseen error may quote data: neither the log nor the client gets it.
            _LOG.error("%s failed: %s at %s", request.method, type(error).__name__, _place(error))
            failure = ServiceError(Code.INTERNAL, "Internal error encountered.")
        return Reply.of_error(failure, request.system.get("xgafv"))

    def _answer(self, request: Request) -> Reply:
        own = self._control(request)
        if own is not None:
            return own
        route, call = self._routes.find(request)
        # Page "quotas": 10 MB for every method but the store.
        if not route.is_store and request.size > MOST_IN_MEMORY:
            raise invalid(f"Request payload size exceeds the limit: {MOST_IN_MEMORY} bytes.")
        route.check_query(request)
        return self._faults.around(route.method_id, self._clock, lambda: route.handler(call))


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _finished(reply: Reply, request: Request) -> Reply:
    """Apply the system parameters ``fields`` and ``prettyPrint`` to a JSON reply."""
    mask, pretty = request.system.get("fields"), request.system.get("prettyPrint", "true")
    if not reply.headers.get("content-type", "").startswith("application/json") or not (mask or pretty == "false"):
        return reply
    value: Any = json.loads(reply.body)
    if mask:
        value = select(value, mask)
    separators, indent = ((",", ":"), None) if pretty == "false" else ((",", ": "), 2)
    body = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return replace(reply, body=body.encode())
