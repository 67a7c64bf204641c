"""Who may connect, and how many times."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from llmaas_server.errors import Problem


class Peers:
    """The other ends of connections, by address."""

    def __init__(self, proxies: Iterable[str], most: int) -> None:
        """`proxies` are networks; where there are any, only they and this machine may connect."""
        self._proxies = [ipaddress.ip_network(one) for one in proxies]
        self._most = most
        self._open: Counter[str] = Counter()

    def count(self, address: str) -> int:
        return self._open[_group(_parse(address))]

    def enter(self, address: str) -> Problem | None:
        """Count one more connection; or why there may not be one, and then it is not counted."""
        parsed = _parse(address)
        group = _group(parsed)
        is_proxy = any(parsed.version == one.version and parsed in one for one in self._proxies)
        if self._proxies and not is_proxy and not parsed.is_loopback:
            return Problem(
                "not_allowed",
                f"{address} is not a proxy of this server",
                hint="Ask the proxy's own address; the setting behind_proxy names the proxies.",
            )
        if not is_proxy and self._open[group] >= self._most:
            return Problem(
                "rate_limited",
                f"{self._most} connections from {group} are open, and that is the most",
                hint="Close some, or use those that are open again.",
                retry_after=1.0,
            )
        self._open[group] += 1
        return None

    def leave(self, address: str) -> None:
        group = _group(_parse(address))
        self._open[group] -= 1
        if not self._open[group]:
            del self._open[group]


def _parse(address: str) -> IPv4Address | IPv6Address:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


def _group(address: IPv4Address | IPv6Address) -> str:
    """What counts as one caller: of IPv6 everybody has a whole /64 network."""
    if isinstance(address, IPv4Address) or address.is_loopback:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
