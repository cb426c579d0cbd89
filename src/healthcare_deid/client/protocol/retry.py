"""`RetryPolicy`, `PollPolicy`, and which failure may be tried again for which kind of method.

Three clocks, three names: ``timeout=`` bounds one HTTP try, `RetryPolicy.deadline` all tries of one call, and
``wait(timeout=)`` the wait for an operation.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.protocol.flow import Sleep
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
    from healthcare_deid.client.protocol.flow import Flow

T = TypeVar("T")

_TOO_MANY_REQUESTS = 429
_RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_RATE_LIMIT_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_FORBIDDEN = 403
_SERVER_ERRORS = 500
_SERVER_TIMEOUTS = frozenset({408, 425})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, how long and how patiently one call is tried. All times in seconds."""

    tries: int = 6
    """HTTP tries at most, the first included."""
    deadline: float = 60.0
    """No new try starts, and no pause ends, later than this after the first."""
    initial: float = 0.5
    """Upper bound of the first pause; each pause is drawn between 0 and its bound (full jitter)."""
    multiplier: float = 2.0
    """How much the bound grows a try."""
    maximum: float = 30.0
    """Upper bound of any pause."""
    settle: tuple[float, ...] = (1.0, 3.0)
    """Pauses between the looks for an operation that may have started, before its absence is believed."""
    skew: float = 5.0
    """How much earlier than the call an operation may say it was created and still be taken for ours."""

    def __post_init__(self) -> None:
        settle: Any = self.settle
        pauses: tuple[Any, ...] = settle if isinstance(settle, tuple) else (settle,)
        times = (self.deadline, self.initial, self.maximum, self.skew, *pauses)
        good = (
            isinstance(settle, tuple)
            and _numbers(self.tries, self.multiplier, *times)
            and self.tries >= 1
            and self.multiplier >= 1
        )
        if not good or not all(time >= 0 for time in times):
            raise ConfigError("RetryPolicy: tries and multiplier are at least 1, and no time is negative")

    @classmethod
    def never(cls) -> RetryPolicy:
        """Return the policy of one try."""
        return cls(tries=1)

    def pause(self, failures: int, draw: Callable[[float, float], float]) -> float:
        """Return the pause after that many failures, with ``draw(low, high)`` as the source of chance."""
        bound = min(self.maximum, self.initial * self.multiplier ** (failures - 1))
        return draw(0.0, bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """How often an operation is asked for its state: at once, then ever less often. All times in seconds."""

    initial: float = 1.0
    """Pause after the first poll."""
    multiplier: float = 1.5
    """How much the pause grows a poll."""
    maximum: float = 30.0
    """Longest pause."""
    jitter: float = 0.2
    """A pause is drawn this share below to this share above its length."""
    lost_after: float = 600.0
    """Without a good poll for this long, waiting raises `OperationLost`."""

    def __post_init__(self) -> None:
        good = _numbers(self.initial, self.multiplier, self.maximum, self.jitter, self.lost_after)
        if not (good and self.multiplier >= 1 and 0 <= self.jitter < 1):
            raise ConfigError("PollPolicy: numbers, with multiplier >= 1 and 0 <= jitter < 1, are needed")
        if not (self.initial > 0 and self.maximum > 0 and self.lost_after > 0):
            raise ConfigError("PollPolicy: initial, maximum and lost_after are above 0")

    def pause(self, polls: int, draw: Callable[[float, float], float]) -> float:
        """Return the pause after that many polls, with ``draw(low, high)`` as the source of chance."""
        length = self.initial
        for _ in range(polls - 1):
            length *= self.multiplier
            if length >= self.maximum:
                break
        return min(length, self.maximum) * draw(1 - self.jitter, 1 + self.jitter)


def _numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)


def may_retry(error: DeidError, safety: Safety) -> bool:
    """Say whether a call that failed with ``error`` may be sent again as it is."""
    if isinstance(error, ConnectError):
        return True
    if isinstance(error, CredentialsError):
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
    """Say whether the server may have done what a call that failed with ``error`` asked for."""
    if isinstance(error, TransportError):
        return error.sent != "no"
    if isinstance(error, ApiError):
        return error.status >= _SERVER_ERRORS or error.status in _SERVER_TIMEOUTS
    return isinstance(error, ReplyError) and error.accepted


@dataclass(slots=True)
class _Plan:
    """tenacity's ``stop`` and ``wait`` of one call, over our own clock."""

    policy: RetryPolicy
    clock: Clock
    started: float
    _pauses: dict[int, float] = field(default_factory=dict[int, float])

    def wait(self, state: RetryCallState) -> float:
        pause = self._pauses.get(state.attempt_number)
        if pause is None:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, ApiError) else None
            pause = asked if asked is not None else self.policy.pause(state.attempt_number, random.uniform)
            self._pauses[state.attempt_number] = pause
        return pause

    def stop(self, state: RetryCallState) -> bool:
        if state.attempt_number >= self.policy.tries:
            return True
        return self.clock.monotonic() + self.wait(state) > self.started + self.policy.deadline


def retrying(
    attempt: Callable[[int], Flow[T]], *, policy: RetryPolicy, clock: Clock, again: Callable[[DeidError], bool]
) -> Flow[T]:
    """Run ``attempt(number)`` until it returns, fails for good, or the policy says stop."""
    started = clock.monotonic()
    try:
        return (yield from attempt(1))
    except DeidError as error:
        failure = error
    # tenacity is imported, and its machinery built, for the calls that need it only.
    from tenacity import DoAttempt, DoSleep, RetryCallState, Retrying, retry_if_exception

    plan = _Plan(policy, clock, started)
    loop = Retrying(
        stop=plan.stop,
        wait=plan.wait,
        retry=retry_if_exception(lambda error: isinstance(error, DeidError) and again(error)),
        reraise=True,
    )
    loop.begin()
    state = RetryCallState(retry_object=loop, fn=None, args=(), kwargs={})
    state.set_exception((type(failure), failure, None))
    while True:
        try:
            step = loop.iter(retry_state=state)
        except DeidError as error:
            _count(error, state.attempt_number)
            raise
        if isinstance(step, DoSleep):
            state.prepare_for_next_attempt()
            yield Sleep(float(step))
        elif isinstance(step, DoAttempt):
            try:
                result = yield from attempt(state.attempt_number)
            except DeidError as error:
                state.set_exception((type(error), error, None))
            else:
                return result


def _count(error: DeidError, attempts: int) -> None:
    if isinstance(error, ApiError | TransportError):
        error.attempts = attempts
