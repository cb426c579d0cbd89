"""`Origin`: scheme, host and port of the endpoint, the only place where a client's credentials may go.

Replies hold URLs, too: BulkDataURI, RetrieveURL, ``Location``, links to a next page. If requests followed them
unchecked, the author of a reply would choose who gets the access token.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from healthcare_deid.errors import ForeignUrlError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host in lower case, and port as a number (RFC 6454)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin | None:
        """Return the origin of an absolute http or https URL.

        Any other, and one with a user name, gives None.
        """
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
        """Whether nobody on the way can read a request: over TLS, or within this machine."""
        return self.scheme == "https" or self.is_loopback

    def own(self, url: str) -> str:
        """Return a URL of this origin in the origin's own spelling, without its fragment.

        Host and port are the origin's and not taken from the URL: the next library may split that in another way.

        Raises:
            ForeignUrlError: It leads elsewhere, or cannot be sent.
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
    """Split a URL.

    Gives None if libraries disagree about its parts, or it cannot be part of a request line.
    """
    if "\\" in url or not all(letter.isprintable() and not letter.isspace() for letter in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # a port that is not a number, half an IPv6 address, letters that normalize to others
        return None
    return parts
