"""`SharedCredentials`: one token refresh shared by all threads.

No thread waits for it beyond its own timeout.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.http.bounded_connection import NotConnectedError
from healthcare_deid.client.http.credentials import credentials_error
from healthcare_deid.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.http.limits import Limits

# Seconds after which a refresh that hangs is abandoned and another may begin.
_ABANDON_AFTER = 90.0


class SharedCredentials:
    """Credentials that many threads share.

    A refresh runs on its own thread. The code behind it (token servers, metadata servers, external programs, users'
    code) cannot be interrupted, and must not block callers beyond their timeouts.

    Args:
        find: Returns the google-auth credentials when they are first needed.
        request: google-auth's transport for the token server.
    """

    def __init__(self, find: Callable[[], Any], request: Any) -> None:
        self._find = find
        self._request = request
        self._credentials: Any = None
        self._lock = threading.Lock()
        self._refreshing: Future[dict[str, str]] | None = None
        self._since = 0.0

    def __repr__(self) -> str:
        return "<credentials>"

    def find(self, limits: Limits) -> None:
        """Look up the credentials now, without fetching a token.

        Raises:
            CredentialsError: No credentials were found.
        """
        self._wait(self._begin(lambda _: None), limits)

    def apply(self, method: str, url: str, headers: dict[str, str], limits: Limits) -> Any:
        """Add a valid token to *headers* and return it.

        Raises:
            CredentialsError: No token was issued, or not within the limits.
        """
        if getattr(self._credentials, "valid", False) is True:
            self._credentials.before_request(self._request, method, url, headers)
        else:

            def work(fresh: dict[str, str]) -> None:
                self._credentials.before_request(self._request, method, url, fresh)

            # The work in progress may have been find(), which returns no headers. Then fetch a token.
            headers.update(self._wait(self._begin(work), limits) or self._wait(self._begin(work), limits))
        return getattr(self._credentials, "token", None)

    def renew(self, token: Any, method: str, url: str, headers: dict[str, str], limits: Limits) -> bool:
        """Replace a rejected token, unless another thread already has.

        Returns:
            Whether there is a new token.
        """

        def refresh(fresh: dict[str, str]) -> None:
            self._credentials.refresh(self._request)
            self._credentials.before_request(self._request, method, url, fresh)

        if not hasattr(self._credentials, "refresh"):
            return False
        if getattr(self._credentials, "token", None) != token:
            self.apply(method, url, headers, limits)
        else:
            headers.update(self._wait(self._begin(refresh), limits))
        return True

    def _begin(self, work: Callable[[dict[str, str]], None]) -> Future[dict[str, str]]:
        """Return the refresh in progress, or begin one."""
        with self._lock:
            under_way, now = self._refreshing, time.monotonic()
            # Single flight: later callers wait for the same refresh.
            if under_way is not None and not under_way.done() and now < self._since + _ABANDON_AFTER:
                return under_way
            begun: Future[dict[str, str]] = Future()
            self._refreshing, self._since = begun, now
        # A daemon thread: a refresh that hangs must not keep the program from ending.
        threading.Thread(target=self._work, args=(work, begun), name="healthcare-deid-token", daemon=True).start()
        return begun

    def _work(self, work: Callable[[dict[str, str]], None], begun: Future[dict[str, str]]) -> None:
        fresh: dict[str, str] = {}
        try:
            if self._credentials is None:
                self._credentials = self._find()
            work(fresh)
        except Exception as error:  # noqa: BLE001 - waiting threads must get an error, whatever it is
            begun.set_exception(_refusal(error))
        else:
            begun.set_result(fresh)

    def _wait(self, refreshing: Future[dict[str, str]], limits: Limits) -> dict[str, str]:
        try:
            return refreshing.result(limits.left())
        except CredentialsError as error:
            # Raise a copy: every raise adds frames to the exception, and several threads share this one.
            failure = CredentialsError(str(error), transient=error.transient)
        except TimeoutError:
            failure = CredentialsError(
                "no access token within the timeout: the token server does not answer", transient=True
            )
        raise failure


def _refusal(error: Exception) -> CredentialsError:
    if isinstance(error, CredentialsError):
        return error
    if isinstance(error, NotConnectedError) and error.problem:
        return CredentialsError(f"the token server could not be reached: {error.problem}", transient=error.transient)
    if isinstance(error, OSError):
        return CredentialsError("the token server could not be reached", transient=True)
    known = credentials_error(error)
    return known or CredentialsError(f"no access token: the credentials failed with {type(error).__name__}")
