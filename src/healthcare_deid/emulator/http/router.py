"""The whole service as one function of values: a request in, a reply out. Nothing here knows a socket."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.partial import select
from healthcare_deid.emulator.payload import MOST_IN_MEMORY
from healthcare_deid.emulator.status import Code, ServiceError, invalid
from healthcare_deid.errors import ResourceNameError

if TYPE_CHECKING:
    from healthcare_deid.emulator.clock import Clock
    from healthcare_deid.emulator.control import Control
    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.messages import Reply, Request
    from healthcare_deid.emulator.routing import Call, Route, Routes

_LOG = logging.getLogger(__name__)


class Router:
    """Answers requests.

    Args:
        routes: The API's methods.
        control: The emulator's own routes.
        faults: What goes wrong on purpose.
        clock: What planned delays pass on.
    """

    def __init__(self, routes: Routes, control: Control, faults: FaultPlan, clock: Clock) -> None:
        self._routes = routes
        self._control = control
        self._faults = faults
        self._clock = clock

    def handle(self, request: Request) -> Reply:
        """Answer a request. Bad input gets an error of the service's form, never an exception.

        Raises:
            Dropped: A fault plan wants the connection lost.
        """
        try:
            return _finished(self._answer(request), request)
        except ServiceError as error:
            failure = error
        except ResourceNameError as error:
            failure = invalid(f"Invalid resource name: {error}")
        return failure.to_reply(request.system.get("xgafv"))

    def _answer(self, request: Request) -> Reply:
        own = self._control.answer(request)
        if own is not None:
            return own
        route, call = self._routes.find(request)
        # The service takes 10 MB at most in every method but the store (page "quotas").
        if not route.is_store and request.size > MOST_IN_MEMORY:
            raise invalid(f"Request payload size exceeds the limit: {MOST_IN_MEMORY} bytes.")
        return self._faults.around(route.method_id, self._clock, lambda: _guarded(route, call))


def _guarded(route: Route, call: Call) -> Reply:
    try:
        return route.handler(call)
    except (ServiceError, ResourceNameError):
        raise
    except Exception as error:  # noqa: BLE001 - a reply must come, whatever happened
        # The text of an unforeseen error may quote data: the log gets its type and place, the client neither.
        _LOG.error("%s failed: %s at %s", route.method_id, type(error).__name__, _place(error))
        raise ServiceError(Code.INTERNAL, "Internal error encountered.") from None


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _finished(reply: Reply, request: Request) -> Reply:
    """Apply the system parameters that shape a JSON reply: ``fields`` and ``prettyPrint``."""
    mask, pretty = request.system.get("fields"), request.system.get("prettyPrint", "true")
    if not reply.headers.get("content-type", "").startswith("application/json") or not (mask or pretty == "false"):
        return reply
    value: Any = json.loads(reply.body)
    if mask:
        value = select(value, mask)
    separators, indent = ((",", ":"), None) if pretty == "false" else ((",", ": "), 2)
    body = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return replace(reply, body=body.encode())
