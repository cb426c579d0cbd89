"""Retries: `RetryPolicy`, `PollPolicy`, the rules of what may be tried again, and the loop that tries.

Three clocks have three names: ``timeout=`` bounds one HTTP try, `RetryPolicy.deadline` all tries of one call, and
``wait(timeout=)`` the wait for an operation.
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
_RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_RATE_LIMIT_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_FORBIDDEN = 403
_SERVER_ERRORS = 500
_SERVER_TIMEOUTS = frozenset({408, 425})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Number, duration and pauses of the tries of one call.

    All times in seconds.
    """

    tries: int = 6
    """Most HTTP tries, including the first."""
    deadline: float = 60.0
    """Time after the first try in which the last pause ends."""
    initial: float = 0.5
    """Upper bound of the first pause; each pause is drawn between 0 and its bound ("full jitter")."""
    multiplier: float = 2.0
    """Growth of the bound with each try."""
    maximum: float = 30.0
    """Upper bound of any pause."""
    reconcile: Reconcile = "adopt"
    """Reaction to the lost answer of a call that starts an operation.

    ``"adopt"`` adopts the one new operation that is listed, and raises `AmbiguousSubmit` for none or several.
    ``"raise"`` always raises. ``"resend"`` sends again if none is listed, for destinations that bear a second run.
    """
    settle: tuple[float, ...] = (1.0, 3.0, 6.0, 10.0, 20.0, 25.0)
    """Pauses between the looks for that operation: 65 s together, because a list can lag."""
    skew: float = 5.0
    """Time before the call at which an operation may have been created and still be taken for ours."""

    def __post_init__(self) -> None:
        settle: Any = self.settle
        pauses: tuple[Any, ...] = settle if isinstance(settle, tuple) else (settle,)
        times = (self.deadline, self.initial, self.maximum, self.skew, *pauses)
        if self.reconcile not in get_args(Reconcile):
            raise ConfigError("RetryPolicy: reconcile must be 'adopt', 'raise' or 'resend'")
        good = (
            isinstance(settle, tuple)
            and _numbers(self.tries, self.multiplier, *times)
            and self.tries >= 1
            and self.multiplier >= 1
        )
        if not good or not all(time >= 0 for time in times):
            raise ConfigError("RetryPolicy: tries and multiplier must be at least 1, and no time negative")

    @classmethod
    def never(cls) -> RetryPolicy:
        """Return the policy of one try."""
        return cls(tries=1)

    def pause(self, failures: int, draw: Callable[[float, float], float]) -> float:
        """Return the pause after a number of failures.

        ``draw(low, high)`` is the source of chance.
        """
        bound = min(self.maximum, self.initial * self.multiplier ** (failures - 1))
        return draw(0.0, bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """Pauses between the polls of an operation: none before the first, then growing.

    All times in seconds.
    """

    initial: float = 1.0
    """Pause after the first poll."""
    multiplier: float = 1.5
    """Growth of the pause with each poll."""
    maximum: float = 30.0
    """Longest pause."""
    jitter: float = 0.2
    """Share by which a pause is drawn shorter or longer than its length."""
    lost_after: float = 600.0
    """Time of failing polls after which waiting raises `OperationLost`."""

    def __post_init__(self) -> None:
        good = _numbers(self.initial, self.multiplier, self.maximum, self.jitter, self.lost_after)
        if not (good and self.multiplier >= 1 and 0 <= self.jitter < 1):
            raise ConfigError("PollPolicy: must be numbers, with multiplier >= 1 and 0 <= jitter < 1")
        if not (self.initial > 0 and self.maximum > 0 and self.lost_after > 0):
            raise ConfigError("PollPolicy: initial, maximum and lost_after must be above 0")

    def pause(self, polls: int, draw: Callable[[float, float], float]) -> float:
        """Return the pause after a number of polls.

        ``draw(low, high)`` is the source of chance.
        """
        length = self.initial
        for _ in range(polls - 1):
            length *= self.multiplier
            if length >= self.maximum:
                break
        return min(length, self.maximum) * draw(1 - self.jitter, 1 + self.jitter)


def _numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)


def may_retry(error: DeidError, safety: Safety) -> bool:
    """Return whether a call that failed with ``error`` may be sent again."""
    if isinstance(error, ConnectError | CredentialsError):
        return error.transient
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
    """Return whether the server may have carried out a call that failed with ``error``."""
    if isinstance(error, TransportError):
        return error.sent != "no"
    if isinstance(error, ApiError):
        return error.status >= _SERVER_ERRORS or error.status in _SERVER_TIMEOUTS
    return isinstance(error, ReplyError) and error.accepted


def retrying(
    attempt: Callable[[int], Flow[T]], *, policy: RetryPolicy, clock: Clock, again: Callable[[DeidError], bool]
) -> Flow[T]:
    """Run ``attempt(number)`` until it succeeds, fails for good, or the policy says stop."""
    started = clock.monotonic()
    try:
        return (yield from _numbered(attempt, 1))
    except DeidError as error:
        failure = error
    # Imported here: most calls succeed at once, and tenacity takes 20 ms to import.
    from tenacity import Retrying, retry_if_exception

    pauses: list[float] = []

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ApiError) else None
        return policy.pause(state.attempt_number, random.uniform) if asked is None else asked

    def stop(state: RetryCallState) -> bool:
        end_of_pause = clock.monotonic() + state.upcoming_sleep
        return state.attempt_number >= policy.tries or end_of_pause > started + policy.deadline

    for tried in Retrying(
        wait=wait,
        stop=stop,
        retry=retry_if_exception(lambda error: isinstance(error, DeidError) and again(error)),
        sleep=pauses.append,  # a flow does not sleep: it asks its driver to
        reraise=True,
    ):
        with tried:
            number = tried.retry_state.attempt_number
            if number == 1:
                raise failure  # made above
            yield Sleep(pauses.pop())
            return (yield from _numbered(attempt, number))
    raise failure  # not reached: the last failure is raised by the loop


def _numbered(attempt: Callable[[int], Flow[T]], number: int) -> Flow[T]:
    """Run one attempt; its error says how many there have been."""
    try:
        return (yield from attempt(number))
    except (ApiError, TransportError) as error:
        error.attempts = number
        raise


def send(call: ApiCall, *, policy: RetryPolicy, clock: Clock) -> Flow[ApiReply]:
    """Send a call that starts no operation, as often as its method allows."""

    def attempt(number: int) -> Flow[ApiReply]:
        reply: ApiReply = yield Send(call, number)
        return reply

    return retrying(attempt, policy=policy, clock=clock, again=lambda error: may_retry(error, call.method.safety))
