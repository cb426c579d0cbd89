"""Retry and poll policies, retry rules, and the retry loop.

There are three time limits: ``timeout=`` for one HTTP attempt, `RetryPolicy.deadline` for all attempts of a call, and
``wait(timeout=)`` for waiting on an operation.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

from healthcare_deid.client.protocol.flow import Send, Sleep
from healthcare_deid.client.protocol.methods import Safety
from healthcare_deid.errors import (
    ApiError,
    ConfigError,
    ConnectError,
    CredentialsError,
    DeidError,
    ReplyError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.client.protocol.flow import ApiCall, ApiReply, Flow

T = TypeVar("T")
Reconcile: TypeAlias = Literal["adopt", "raise", "resend"]

_TOO_MANY_REQUESTS = 429
# Google does not document which replies may be retried (fidelity F-20).
_RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
# The older error format reports a rate limit as HTTP 403 with one of these reasons.
_RATE_LIMIT_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_FORBIDDEN = 403
_SERVER_ERRORS = 500
# Like a server error, these do not exclude that the request was executed.
_SERVER_TIMEOUTS = frozenset({408, 425})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Number, duration and pauses of a call's attempts.

    All times are in seconds.
    """

    tries: int = 6
    """Maximum number of HTTP attempts, including the first."""
    deadline: float = 60.0
    """Time from the first attempt within which the last pause must end."""
    initial: float = 0.5
    """Upper bound of the first pause. Each pause is random between 0 and its bound ("full jitter")."""
    multiplier: float = 2.0
    """Factor by which the bound grows with each attempt."""
    maximum: float = 30.0
    """Upper bound of every pause."""
    reconcile: Reconcile = "adopt"
    """Action if the reply to a call that starts an operation is lost.

    ``"adopt"`` adopts the operation if exactly one new one is listed, and raises `AmbiguousSubmit` otherwise.
    ``"raise"`` always raises. ``"resend"`` sends the call again if no new operation is listed; use it only if a second
    run does no harm.
    """
    # A list can lag: two starts were seen after waiting 4.5 s, so the client waits for more than a minute.
    settle: tuple[float, ...] = (1.0, 3.0, 6.0, 10.0, 20.0, 25.0)
    """Pauses between attempts to find that operation, 65 s in total, because the list can lag."""
    skew: float = 5.0
    """Time before the call from which an operation may date and still count as started by it."""

    def __post_init__(self) -> None:
        # Checked by hand: a dataclass does not check types, and ``settle=5`` would fail in the middle of a lost start.
        settle: Any = self.settle
        pauses: tuple[Any, ...] = settle if isinstance(settle, tuple) else (settle,)
        times = (self.deadline, self.initial, self.maximum, self.skew, *pauses)
        if self.reconcile not in get_args(Reconcile):
            raise ConfigError("RetryPolicy: reconcile must be 'adopt', 'raise' or 'resend'")
        good = (
            isinstance(settle, tuple)
            and _are_numbers(self.tries, self.multiplier, *times)
            and self.tries >= 1
            and self.multiplier >= 1
        )
        if not good or not all(time >= 0 for time in times):
            raise ConfigError("RetryPolicy: tries and multiplier must be at least 1, and times must not be negative")

    @classmethod
    def never(cls) -> RetryPolicy:
        """Return a policy without retries."""
        return cls(tries=1)

    def pause(self, failures: int, draw: Callable[[float, float], float]) -> float:
        """Return the pause after a number of failures.

        *draw* returns a random number between its two arguments.
        """
        bound = min(self.maximum, self.initial * self.multiplier ** (failures - 1))
        return draw(0.0, bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """Pauses between polls of an operation.

    The first poll is immediate; then pauses grow. All times are in seconds.
    """

    initial: float = 1.0
    """Pause after the first poll."""
    multiplier: float = 1.5
    """Factor by which the pause grows with each poll."""
    maximum: float = 30.0
    """Longest pause."""
    jitter: float = 0.2
    """Largest random change of a pause, as a fraction of its length."""
    lost_after: float = 600.0
    """Seconds of failing polls after which waiting raises `OperationLost`."""

    def __post_init__(self) -> None:
        good = _are_numbers(self.initial, self.multiplier, self.maximum, self.jitter, self.lost_after)
        if not (good and self.multiplier >= 1 and 0 <= self.jitter < 1):
            raise ConfigError("PollPolicy: values must be numbers, with multiplier >= 1 and 0 <= jitter < 1")
        if not (self.initial > 0 and self.maximum > 0 and self.lost_after > 0):
            raise ConfigError("PollPolicy: initial, maximum and lost_after must be above 0")

    def pause(self, polls: int, draw: Callable[[float, float], float]) -> float:
        """Return the pause after a number of polls.

        *draw* returns a random number between its two arguments.
        """
        length = self.initial
        # Not initial * multiplier ** polls: float overflows after some 1,700 polls, less than a day.
        for _ in range(polls - 1):
            length *= self.multiplier
            if length >= self.maximum:
                break
        return min(length, self.maximum) * draw(1 - self.jitter, 1 + self.jitter)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)


def may_retry(error: DeidError, safety: Safety) -> bool:
    """Return whether a call that failed may be sent again."""
    if isinstance(error, ConnectError | CredentialsError):
        return error.transient
    # A request over quota was refused, not executed, so even a START may be sent again.
    if isinstance(error, ApiError) and error.status == _TOO_MANY_REQUESTS:
        return True
    if safety in {Safety.START, Safety.CREATE}:
        return False
    if isinstance(error, TransportError):
        return True
    if isinstance(error, ApiError):
        limited = error.status == _FORBIDDEN and error.reason in _RATE_LIMIT_REASONS
        return limited or error.status in _RETRYABLE_STATUSES
    return False


def may_have_run(error: DeidError) -> bool:
    """Return whether the server may have executed a failed call."""
    if isinstance(error, TransportError):
        return error.sent != "no"
    if isinstance(error, ApiError):
        return error.status >= _SERVER_ERRORS or error.status in _SERVER_TIMEOUTS
    return isinstance(error, ReplyError) and error.accepted


def retrying(
    attempt: Callable[[int], Flow[T]], *, policy: RetryPolicy, clock: Clock, again: Callable[[DeidError], bool]
) -> Flow[T]:
    """Run ``attempt(number)`` until it succeeds or may not be retried."""
    started = clock.monotonic()
    try:
        return (yield from _numbered(attempt, 1))
    except DeidError as error:
        failure = error
    # Imported late: most calls succeed on the first attempt, and tenacity takes 20 ms to import.
    from tenacity import Retrying, retry_if_exception

    pauses: list[float] = []

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ApiError) else None
        # Retry-After is obeyed as sent. stop() gives up at once if it ends after the deadline.
        return policy.pause(state.attempt_number, random.uniform) if asked is None else asked

    def stop(state: RetryCallState) -> bool:
        end_of_pause = clock.monotonic() + state.upcoming_sleep
        return state.attempt_number >= policy.tries or end_of_pause > started + policy.deadline

    for tried in Retrying(
        wait=wait,
        stop=stop,
        retry=retry_if_exception(lambda error: isinstance(error, DeidError) and again(error)),
        sleep=pauses.append,  # a flow never sleeps itself; it yields Sleep to its driver
        reraise=True,
    ):
        with tried:
            number = tried.retry_state.attempt_number
            if number == 1:
                raise failure  # the attempt above, already made
            yield Sleep(pauses.pop())
            return (yield from _numbered(attempt, number))
    raise failure  # unreachable: the loop raises the last failure


def _numbered(attempt: Callable[[int], Flow[T]], number: int) -> Flow[T]:
    """Run one attempt and record its number in its error."""
    try:
        return (yield from attempt(number))
    except (ApiError, TransportError) as error:
        error.attempts = number
        raise


def send(call: ApiCall, *, policy: RetryPolicy, clock: Clock) -> Flow[ApiReply]:
    """Send a call that does not start an operation, with retries."""

    def attempt(number: int) -> Flow[ApiReply]:
        reply: ApiReply = yield Send(call, number)
        return reply

    return retrying(attempt, policy=policy, clock=clock, again=lambda error: may_retry(error, call.method.safety))
