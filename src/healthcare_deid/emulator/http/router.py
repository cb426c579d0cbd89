"""`Router`: the service as a function from request to reply.

It does not depend on sockets.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import ServiceError, StatusCode, invalid
from healthcare_deid.emulator.http.batch import answer as answer_batch
from healthcare_deid.emulator.http.batch import is_batch
from healthcare_deid.emulator.http.field_masks import select
from healthcare_deid.emulator.http.payload import MAX_IN_MEMORY
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.errors import ResourceNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.emulator.clock import EmulatorClock
    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.http.routes import Routes

_LOG = logging.getLogger(__name__)


class Router:
    """Dispatcher of requests.

    Args:
        routes: API methods.
        control: Handler of the emulator's own routes. It returns None for any other request.
        faults: Planned faults.
        clock: Clock that planned delays advance.
    """

    def __init__(
        self, routes: Routes, control: Callable[[Request], Reply | None], faults: FaultPlan, clock: EmulatorClock
    ) -> None:
        self._routes = routes
        self._control = control
        self._faults = faults
        self._clock = clock

    def handle(self, request: Request) -> Reply:
        """Handle a request.

        Every failure except a dropped connection becomes an error reply.

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
            # Unpaired surrogates in JSON, numbers beyond 64 bits, and nesting beyond Python's recursion limit.
            failure = invalid("The request has invalid Unicode, a number out of range, or is nested too deeply.")
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - the client must get a reply
            # The text of an unexpected error may contain patient data, so it goes neither to the log nor to the client.
            _LOG.error("%s failed: %s at %s", request.method, type(error).__name__, _place(error))
            failure = ServiceError(StatusCode.INTERNAL, "Internal error encountered.")
        return Reply.of_error(failure, request.system.get("xgafv"))

    def _answer(self, request: Request) -> Reply:
        if is_batch(request):
            return answer_batch(request, self.handle)
        own = self._control(request)
        if own is not None:
            return own
        # After the control routes, so that faults never apply to the requests that plan them.
        route, call = self._routes.find(request)
        # The service's quotas page: 10 MB for every method except Store.
        if not route.is_store and request.size > MAX_IN_MEMORY:
            raise invalid(f"Request payload size exceeds the limit: {MAX_IN_MEMORY} bytes.")
        route.check_query(request)
        return self._faults.around(route.method_id, self._clock, lambda: route.handler(call))


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _finished(reply: Reply, request: Request) -> Reply:
    """Apply the system parameters ``fields`` and ``prettyPrint``."""
    mask, pretty = request.system.get("fields"), request.system.get("prettyPrint", "true")
    if not reply.headers.get("content-type", "").startswith("application/json") or not (mask or pretty == "false"):
        return reply
    value: Any = json.loads(reply.body)
    if mask:
        value = select(value, mask)
    separators, indent = ((",", ":"), None) if pretty == "false" else ((",", ": "), 2)
    body = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return replace(reply, body=body.encode())
