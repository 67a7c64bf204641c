"""What a connection may send, hold and wait for."""

from __future__ import annotations

from dataclasses import dataclass

from llmaas_server.settings import Settings

LEAST_BYTES_PER_SECOND = 16 << 10
"""Of a body: slower ones do not arrive in time."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds, bytes and counts; see the settings of the same names."""

    receive_seconds: float = 10.0
    send_seconds: float = 30.0
    header_bytes: int = 32 << 10
    connections_per_address: int = 512
    proxies: tuple[str, ...] = ()
    """Networks."""

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        return cls(
            receive_seconds=settings.receive_seconds,
            send_seconds=settings.send_seconds,
            header_bytes=int(settings.max_header_bytes),
            connections_per_address=settings.max_connections_per_address,
            proxies=settings.behind_proxy,
        )
