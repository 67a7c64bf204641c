"""The server that commands on this machine would ask: does it answer, and take the key?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmaas_client import config
from llmaas_client.running import address_in

from .finding import Finding
from .installation import version_of

if TYPE_CHECKING:
    from llmaas_client import Client
    from llmaas_server.settings import Settings

_SECONDS = 5.0


def server(settings: Settings) -> Iterator[Finding]:
    from llmaas_client import Client, ConfigurationError, LLMaaSError

    told = config.is_told(None)
    here = address_in(settings.home)
    if here is None and not told:
        yield Finding("server", "ok", "it does not run; `llmaas up` starts it")
        return
    try:
        with Client(None if told else here, timeout=_SECONDS, max_retries=0) as client:
            yield from _look(client)
    except ConfigurationError as error:
        yield Finding("client", "wrong", str(error), "unset LLMAAS_BASE_URL LLMAAS_API_KEY")
    except LLMaaSError as error:
        where = "LLMAAS_BASE_URL" if told else str(here)
        remedy = "start it: llmaas up" if told else "look at its log, and start it again: llmaas up"
        yield Finding("server", "wrong", f"{where} does not answer: {error}", remedy)


def _look(client: Client) -> Iterator[Finding]:
    from llmaas_client import AuthenticationFailed, PermissionDenied

    url = client.base_url
    health, own = client.health(), version_of("llmaas")
    if health.status != "ok":
        found = f"{url} is {health.status}: it computes nothing yet"
        yield Finding("server", "weak", found, "wait, and look at its log")
    elif health.version != own:
        found = f"{url} is version {health.version}, and this is {own}"
        yield Finding("server", "weak", found, "start the server again, or install its version")
    else:
        yield Finding("server", "ok", f"{url}, version {health.version}, works")
    try:
        client.models()
    except (AuthenticationFailed, PermissionDenied) as error:
        remedy = (
            "on its machine: llmaas keys create NAME, then export LLMAAS_API_KEY=…; its own user "
            "gets a new key when it is started again"
        )
        yield Finding("key", "wrong", f"{url} does not take it: {error}", remedy)
    else:
        yield Finding("key", "ok", f"{url} takes it")
