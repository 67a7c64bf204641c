"""`llmaas serve`: the server, from one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .failure import fail
from .flags import taking_settings
from .listener import CannotListen

if TYPE_CHECKING:
    from llmaas_server.settings import Settings


@taking_settings
def serve(settings: Settings) -> None:
    """Start the server: classify, summarize, chat and embed over HTTP.

    Flags win over the environment (LLMAAS_PORT=…), which wins over `llmaas.toml`;
    `llmaas config show` lists every setting and where it comes from. SIGINT and SIGTERM end
    the server well, with exit code 0; it exits with 1 where it cannot start, and with 2 where
    a setting is wrong.
    """
    from llmaas_server.gateway.sign_in_links import SignInLinks

    from .serving import run

    try:
        run(settings, SignInLinks.first)
    except CannotListen as error:
        fail(str(error), error.hint)
