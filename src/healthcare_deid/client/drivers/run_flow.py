"""Drive a flow: with this thread, or with an event loop. Nothing is decided here."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar, cast

from healthcare_deid.client.http import telemetry
from healthcare_deid.client.protocol.flow import ApiReply, Flow, Send
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Executor

    from healthcare_deid.client.http.connection import Connection
    from healthcare_deid.client.protocol.clock import Clock

T = TypeVar("T")
logger = logging.getLogger("healthcare_deid.client")

_captured: ContextVar[list[ApiReply] | None] = ContextVar("healthcare_deid_replies", default=None)


@contextmanager
def captured_replies() -> Generator[list[ApiReply]]:
    """Collect the raw reply of every call this thread or task makes inside the block."""
    replies: list[ApiReply] = []
    token = _captured.set(replies)
    try:
        yield replies
    finally:
        _captured.reset(token)


def run(flow: Flow[T], connection: Connection, clock: Clock) -> T:
    """Run a flow to its end in this thread."""
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Send):
                reply = _try(connection, effect)
                effect = flow.send(_capture(reply)) if isinstance(reply, ApiReply) else flow.throw(reply)
                del reply
            else:
                clock.sleep(effect.seconds)
                effect = next(flow)
    except StopIteration as stop:
        return cast("T", stop.value)
    except DeidError as error:
        # The generators' frames and the failures on the way say nothing to whoever called; a cause stays.
        raise error.with_traceback(None) from error.__cause__
    finally:
        flow.close()


async def run_async(flow: Flow[T], connection: Connection, clock: Clock, executor: Executor) -> T:
    """Run a flow to its end in an event loop; requests go through a small thread pool."""
    loop = asyncio.get_running_loop()
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Send):
                reply = await loop.run_in_executor(executor, _try, connection, effect)
                effect = flow.send(_capture(reply)) if isinstance(reply, ApiReply) else flow.throw(reply)
                del reply
            else:
                await clock.sleep_async(effect.seconds)
                effect = next(flow)
    except StopIteration as stop:
        return cast("T", stop.value)
    except DeidError as error:
        # The generators' frames and the failures on the way say nothing to whoever called; a cause stays.
        raise error.with_traceback(None) from error.__cause__
    finally:
        flow.close()


def _capture(reply: ApiReply) -> ApiReply:
    replies = _captured.get()
    if replies is not None:
        replies.append(reply)
    return reply


def _try(connection: Connection, effect: Send) -> ApiReply | DeidError:
    """Make one HTTP try; its span and log line carry the method, the attempt and the outcome, and nothing else."""
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
    logger.debug("%s try %d: %s in %.0f ms", method, effect.attempt, outcome, (time.monotonic() - began) * 1000)
    return result
