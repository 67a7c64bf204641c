"""What connections are made with: how many, which certificates are trusted, which proxy."""

from __future__ import annotations

import ssl
from importlib.metadata import version
from typing import Any

import httpx

from llmaas_client.config import Config
from llmaas_client.errors import ConfigurationError

MAX_CONNECTIONS = 100
KEEPALIVE_SECONDS = 3.0
"""Less than the 5 seconds after which servers close idle connections, so that a request is not
sent into one that is being closed."""


def headers() -> dict[str, str]:
    return {"user-agent": f"llmaas/{version('llmaas')}"}


def options_of(config: Config) -> dict[str, Any]:
    # Making a TLS context takes 20 ms; plain HTTP to this machine goes without.
    secure = config.address.scheme == "https"
    return {
        "ssl_context": _trust(config) if secure else None,
        "max_connections": MAX_CONNECTIONS,
        "max_keepalive_connections": MAX_CONNECTIONS,
        "keepalive_expiry": KEEPALIVE_SECONDS,
    }


def _trust(config: Config) -> ssl.SSLContext:
    """TLS to a server whose certificate is checked, always."""
    if config.ca_bundle is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=config.ca_bundle)
    except OSError as error:
        reason = "it has no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(
            f"ca_bundle {config.ca_bundle} cannot be used: {reason}",
            hint="Name a file of certificates in PEM format.",
        ) from None


def proxy_of(config: Config) -> dict[str, Any] | None:
    url = config.proxy()
    if url is None:
        return None
    try:
        proxy = httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL):
        raise _bad_proxy(config) from None
    if proxy.url.scheme not in ("http", "https"):
        raise _bad_proxy(config)
    return {"proxy_url": str(proxy.url), "proxy_auth": proxy.raw_auth}


def _bad_proxy(config: Config) -> ConfigurationError:
    # Without the address: it may have a password in it.
    named = (
        "proxy=" if config.explicit_proxy is not None else "the proxy that the environment names"
    )
    return ConfigurationError(
        f"{named} cannot be used",
        hint="Only http:// and https:// proxies can; for others pass http_client=.",
    )
