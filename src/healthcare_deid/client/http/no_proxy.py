"""``NO_PROXY``: the origins that are reached without a proxy.

Every tool reads this variable in its own way; what curl, requests and Go each take is taken here. ``urllib`` knows only
names and ports. ``requests`` knows no IPv6 networks, and it takes ``le.org`` for a domain above ``example.org``.
"""

from __future__ import annotations

import ipaddress
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthcare_deid.client.http.origin import Origin

_SEPARATORS = re.compile(r"[,\s]+")
# A host, [v6] or network, each with :port or without. An IPv6 address without brackets has two colons or more, no port.
_ENTRY = re.compile(r"\[?(?P<host>[^\[\]/]*?)\]?(?P<prefix>/\d+)?(?::(?P<port>\d{1,5}))?")
_BARE_IPV6 = re.compile(r"[^\[\]]*:[^\[\]]*:[^\[\]]*")


def is_listed(origin: Origin, no_proxy: str) -> bool:
    """Return whether an entry of ``NO_PROXY`` names an origin.

    Args:
        origin: Origin of a request.
        no_proxy: Entries, separated by commas or spaces: ``example.org`` and ``.example.org`` (the domain and all below
            it), ``*.example.org`` (all below it), an address, a network such as ``10.0.0.0/8``, each with ``:port`` or
            without, an IPv6 address in brackets or without, or ``*``.
    """
    return any(_names(entry, origin) for entry in _SEPARATORS.split(no_proxy.lower()) if entry)


def _names(entry: str, origin: Origin) -> bool:
    if _BARE_IPV6.fullmatch(entry):
        return _is_host(entry, origin.host)
    parts = _ENTRY.fullmatch(entry)
    if parts is None or (parts["port"] and int(parts["port"]) != origin.port):
        return False
    return _is_host(parts["host"] + (parts["prefix"] or ""), origin.host)


def _is_host(name: str, host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name, host = name.rstrip("."), host.rstrip(".")
        domain = name.lstrip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}") or fnmatchcase(host, name))
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        # 10.1.* is an address with a wildcard, and * every address. A domain never names an address.
        return "*" in name and fnmatchcase(host, name)
