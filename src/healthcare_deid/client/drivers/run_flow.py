"""`run` and `run_async`: run a flow on a thread or an event loop."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar, cast

from healthcare_deid._border import place
from healthcare_deid.client.http import telemetry
from healthcare_deid.client.protocol.clock import SystemClock
from healthcare_deid.client.protocol.flow import ApiReply, Flow, Send
from healthcare_deid.errors import DeidError, ReplyError

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Executor

    from healthcare_deid.client.http.connection import Connection
    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.client.protocol.flow import Effect

T = TypeVar("T")
logger = logging.getLogger("healthcare_deid.client")

# A ContextVar, so that threads and tasks do not collect each other's replies.
_captured: ContextVar[list[ApiReply] | None] = ContextVar("healthcare_deid_replies", default=None)


@contextmanager
def captured_replies() -> Generator[list[ApiReply]]:
    """Collect raw replies to this thread's or task's calls in a block."""
    replies: list[ApiReply] = []
    token = _captured.set(replies)
    try:
        yield replies
    finally:
        _captured.reset(token)


def run(flow: Flow[T], connection: Connection, clock: Clock) -> T:
    """Run a flow in this thread."""
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Send):
                effect = _resume(flow, send_once(connection, effect))
            else:
                _pause(effect.seconds, connection, clock)
                effect = next(flow)
    except StopIteration as stop:
        return cast("T", stop.value)
    except DeidError as error:
        # Frames of the generators and earlier failures do not help the caller, and their locals hold requests. An
        # explicit cause stays.
        raise error.with_traceback(None) from error.__cause__
    finally:
        flow.close()


async def run_async(flow: Flow[T], connection: Connection, clock: Clock, executor: Executor) -> T:
    """Run a flow in an event loop.

    Requests are sent from a small thread pool.
    """
    from asyncio import get_running_loop  # imported late: takes 20 ms, which threaded programs need not pay

    loop = get_running_loop()
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Send):
                effect = _resume(flow, await loop.run_in_executor(executor, send_once, connection, effect))
            else:
                await clock.sleep_async(effect.seconds)
                effect = next(flow)
    except StopIteration as stop:
        return cast("T", stop.value)
    except DeidError as error:
        # As in run().
        raise error.with_traceback(None) from error.__cause__
    finally:
        flow.close()


def send_once(connection: Connection, effect: Send) -> ApiReply | DeidError:
    """Make one HTTP attempt.

    Its span and log line hold the method, the attempt and the outcome, and nothing else.
    """
    method = effect.call.method.id
    began = time.monotonic()
    with telemetry.call_span(method, effect.attempt) as span:
        try:
            reply = connection.send(effect.call)
        except DeidError as error:
            span.failed(error)
            outcome, result = type(error).__name__, cast("ApiReply | DeidError", error)
        else:
            span.answered(reply.status)
            outcome, result = f"HTTP {reply.status}", reply
    logger.debug("%s attempt %d: %s in %.0f ms", method, effect.attempt, outcome, (time.monotonic() - began) * 1000)
    return result


def _resume(flow: Flow[T], outcome: ApiReply | DeidError) -> Effect:
    """Give a flow the outcome of an attempt and return its next request."""
    try:
        if isinstance(outcome, DeidError):
            return flow.throw(outcome)
        replies = _captured.get()
        if replies is not None:
            replies.append(outcome)
        return flow.send(outcome)
    except (DeidError, StopIteration):
        raise
    except Exception as error:  # noqa: BLE001 - an unexpected reply must raise ReplyError, not a bug's TypeError
        problem = f"the reply cannot be read ({type(error).__name__} at {place(error)})"
    raise ReplyError(problem, accepted=True)


def _pause(seconds: float, connection: Connection, clock: Clock) -> None:
    """Sleep.

    Closing the client ends a pause of the real clock.
    """
    # Waiting on the event instead of sleeping: close() then ends the pause at once.
    if isinstance(clock, SystemClock):
        connection.closed.wait(seconds)
    else:
        clock.sleep(seconds)
