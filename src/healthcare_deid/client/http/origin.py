"""`Origin`: scheme, host and port that credentials may be sent to.

Replies contain URLs: BulkDataURI, RetrieveURL, ``Location``, links to the next page. If a request followed them
unchecked, the author of a reply could choose who receives the access token.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from healthcare_deid.errors import ForeignUrlError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, lower-case host and numeric port (RFC 6454)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin | None:
        """Return the origin of an absolute http or https URL.

        Returns None for any other URL, and for a URL with a user name.
        """
        parts = _split_url(url)
        # A user name can disguise the host, as in https://healthcare.googleapis.com@example.org/.
        if parts is None or parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
            return None
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine (RFC 6761 for names)."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def is_confidential(self) -> bool:
        """Whether requests cannot be read on the way.

        They cannot over TLS, or on this machine.
        """
        return self.scheme == "https" or self.is_loopback

    def own(self, url: str) -> str:
        """Return *url* rebuilt for this origin, without its fragment.

        Host and port come from the origin, not from *url*, because another library may split the URL differently.

        Raises:
            ForeignUrlError: *url* is at another origin, or is not a valid URL.
        """
        # Usual, and the same in every library: the text before the path is this origin's.
        if url.startswith(f"{self}/") and "#" not in url and _is_plain(url):
            return url
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


def _split_url(url: str) -> SplitResult | None:
    """Split a URL.

    Returns None for a URL that libraries split differently, or that cannot stand in a request line.
    """
    if not _is_plain(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    # A port that is not a number, an unclosed IPv6 address, or characters that NFKC turns into "/", "?" or "@".
    except ValueError:
        return None
    return parts


def _is_plain(url: str) -> bool:
    return url.isprintable() and " " not in url and "\\" not in url  # no other white space is printable
