"""`Origin`: where a client's credentials may go. Scheme, host and port of its endpoint, and nowhere else.

URLs stand in replies too: BulkDataURI, RetrieveURL, ``Location``, links to a next page. Whoever writes one chooses who
gets the access token, unless every request is held against the endpoint.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from healthcare_deid.errors import ForeignUrlError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port (RFC 6454); host in lower case, the port always a number."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin | None:
        """Return the origin of an absolute http or https URL; None for anything else, user names included."""
        parts = _split(url)
        if parts is None or parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
            return None
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine (RFC 6761 for the names)."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def is_confidential(self) -> bool:
        """Whether nobody on the way can read what is sent: over TLS, or within this machine."""
        return self.scheme == "https" or self.is_loopback

    def own(self, url: str) -> str:
        """Return a URL of this origin in the origin's own spelling, without its fragment.

        Host and port of the result are never the URL's: what reads it next may split it in another way than this.

        Raises:
            ForeignUrlError: It leads elsewhere, or is no URL that can be sent.
        """
        theirs = Origin.of(url)
        if theirs != self:
            raise ForeignUrlError(str(self), origin="" if theirs is None else str(theirs))
        parts = urlsplit(url)
        return urlunsplit((self.scheme, self._authority, parts.path or "/", parts.query, ""))

    @property
    def _authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self._authority}"


def _split(url: str) -> SplitResult | None:
    """Split a URL; None where libraries disagree about its parts, or it cannot stand in a request line."""
    if "\\" in url or not all(letter.isprintable() and not letter.isspace() for letter in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # a port that is no number, half an IPv6 address, letters that turn into others
        return None
    return parts
