"""Callers, as the key ring makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llmaas_server.gateway.clock import wall
from llmaas_server.gateway.leases import Lease, Leases
from llmaas_server.gateway.principals import EVERYTHING, Permit, Principal
from llmaas_server.storage.values import Limits, Owner

NO_LIMITS = Limits()


def caller(models: Permit = EVERYTHING, limits: Limits = NO_LIMITS) -> Principal:
    """An inference key that may run every task."""
    return Principal(
        "key_1",
        "inference",
        "acc_1",
        "app_1",
        tasks=EVERYTHING,
        models=models,
        limited=(
            (Owner("key", "key_1"), limits),
            (Owner("application", "app_1"), NO_LIMITS),
            (Owner("account", "acc_1"), NO_LIMITS),
        ),
    )


@asynccontextmanager
async def holding(principal: Principal) -> AsyncIterator[Lease]:
    """Holds no key: none of them ends."""
    with Leases(wall).held(principal) as lease:
        yield lease
