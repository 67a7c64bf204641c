"""How often an address may try: bounds the work that those without a valid key can cause."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

from llmaas_server.errors import Problem

from .clock import SECOND, Clock
from .limits import Bucket

PER_MINUTE = 60
MOST_ADDRESSES = 10_000
"""Remembered; after that those are forgotten who have not tried for the longest time."""


class Strangers:
    """A token bucket for each name: an address, or whatever else tries are counted by."""

    def __init__(
        self, clock: Clock, per_minute: int = PER_MINUTE, most: int = MOST_ADDRESSES
    ) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._most = most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, name: str) -> None:
        """Count one try. Raises Problem `rate_limited`."""
        bucket = self._bucket(name)
        wait = bucket.wait_for(1)
        self._keep(name, bucket if wait else bucket.less(1))
        if wait:
            raise Problem(
                "rate_limited",
                "too many failed attempts from here",
                retry_after=wait / SECOND,
            )

    def give_back(self, name: str) -> None:
        """The try was good after all."""
        self._keep(name, self._bucket(name).more(1))

    def __len__(self) -> int:
        return len(self._buckets)

    def _bucket(self, name: str) -> Bucket:
        now = self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            return Bucket.full(self._per_minute, now)
        return bucket.refilled(self._per_minute, now)

    def _keep(self, name: str, bucket: Bucket) -> None:
        self._buckets[name] = bucket
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)


def network_of(address: str | None) -> str:
    """What tries are counted by: an IPv4 address, or a network of IPv6, of which one person has
    as many addresses as they like."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
