"""Client for a Cloud Storage emulator.

It uses ``objects.list``, ``get`` and ``insert`` of the JSON API. The address comes from ``STORAGE_EMULATOR_HOST``, as
in Google's own clients. The data identifies patients, so requests go to that host only: no proxy is used, no redirect
is followed, and no credentials are sent.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from healthcare_deid.emulator.errors import ServiceError, StatusCode

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "STORAGE_EMULATOR_HOST"
_TIMEOUT = 60.0
_OK = 200
# Cloud Storage replies 401 or 403 instead of 404 to callers that may not list the bucket.
_MISSING = frozenset({401, 403, 404})


class StorageApi:
    """Buckets of one Cloud Storage emulator.

    The address is checked on the first call.

    Args:
        address: ``host:port``, with or without ``http://`` or ``https://``.
        allow_remote: Whether the host may be another machine.
        timeout: Seconds without a reply after which a request fails.
    """

    def __init__(self, address: str, *, allow_remote: bool = False, timeout: float = _TIMEOUT) -> None:
        self._address = address if "://" in address else f"http://{address}"
        self._allow_remote = allow_remote
        self._timeout = timeout

    def names(self, bucket: str, prefix: str = "") -> Iterator[str] | None:
        """Return the names of objects that start with *prefix*.

        Returns None if the bucket does not exist.

        Raises:
            ServiceError: 503: the host does not reply properly. 400: its address cannot be used.
        """
        page = self._page(bucket, prefix, "")
        return None if page is None else self._names(bucket, prefix, page)

    def read(self, bucket: str, name: str) -> bytes | None:
        """Return the content of an object.

        Returns None if the bucket or object does not exist.

        Raises:
            ServiceError: As for `names`.
        """
        return self._call("GET", f"/storage/v1/b/{_segment(bucket)}/o/{_segment(name)}?alt=media")

    def write(self, bucket: str, name: str, data: bytes) -> bool:
        """Write an object atomically.

        Returns False if the bucket does not exist.

        Raises:
            ServiceError: As for `names`.
        """
        query = urlencode({"uploadType": "media", "name": name})
        return self._call("POST", f"/upload/storage/v1/b/{_segment(bucket)}/o?{query}", data) is not None

    def _names(self, bucket: str, prefix: str, page: dict[str, Any]) -> Iterator[str]:
        seen: set[str] = set()
        while True:
            items = page.get("items", [])
            try:
                yield from (str(item["name"]) for item in items)
            except (TypeError, KeyError):
                raise _unavailable("sent a list of objects without names") from None
            token = str(page.get("nextPageToken") or "")
            if not token:
                return
            # A page token that repeats would make the list endless.
            following = None if token in seen else self._page(bucket, prefix, token)
            if following is None:
                raise _unavailable("did not send the rest of a list of objects")
            seen.add(token)
            page = following

    def _page(self, bucket: str, prefix: str, token: str) -> dict[str, Any] | None:
        query = {"prefix": prefix} | ({"pageToken": token} if token else {})
        body = self._call("GET", f"/storage/v1/b/{_segment(bucket)}/o?{urlencode(query)}")
        if body is None:
            return None
        try:
            page = json.loads(body)
        except ValueError:
            page = None
        if not isinstance(page, dict):
            raise _unavailable("sent a list of objects that is not a JSON object")
        return page

    def _call(self, method: str, target: str, body: bytes | None = None) -> bytes | None:
        """Send one request on a new connection.

        Returns None for 401, 403 and 404.
        """
        connection = self._connection()
        headers = {} if body is None else {"Content-Type": "application/octet-stream"}
        try:
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise _unavailable(f"does not answer ({type(error).__name__})") from None
        finally:
            connection.close()
        if response.status in _MISSING:
            return None
        if response.status != _OK:
            raise _unavailable(f"replied with HTTP {response.status}")
        return content

    def _connection(self) -> http.client.HTTPConnection:
        try:
            parts = urlsplit(self._address)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise _unusable("must have the form [http://]host[:port].") from None
        if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or parts.path.strip("/"):
            raise _unusable("must have the form [http://]host[:port].")
        if not (self._allow_remote or is_loopback(host)):
            raise _unusable(
                "is on another machine, and instances would be sent there. To allow that, pass "
                "allow_remote_storage=True (--allow-remote-storage on the command line)."
            )
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=self._timeout)


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine.

    The name decides; it is not looked up.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _segment(text: str) -> str:
    return quote(text, safe="")


def _unavailable(problem: str) -> ServiceError:
    return ServiceError(StatusCode.UNAVAILABLE, f"The Cloud Storage emulator at {VARIABLE} {problem}.")


def _unusable(problem: str) -> ServiceError:
    return ServiceError(StatusCode.FAILED_PRECONDITION, f"{VARIABLE} {problem}")
