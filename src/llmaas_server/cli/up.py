"""`llmaas up`: bring the models, start the server, and open its console."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from .failure import fail
from .flags import taking_settings
from .listener import CannotListen

if TYPE_CHECKING:
    from llmaas_server.settings import Settings


@taking_settings
def up(
    settings: Settings,
    browser: Annotated[
        bool, typer.Option(help="Open the console in the browser; else its link is printed alone.")
    ] = True,
) -> None:
    """Bring the models that the settings name, start the server, and open its console.

    The first command after the installation, and good every day: what is here already is not
    fetched again, and where this server runs already, its console is opened. Ctrl-C ends it at
    any time, and nothing is damaged. Options and exit codes are those of `llmaas serve`.
    """
    from .already import address_of, visit

    running = address_of(settings)
    if running is None:
        try:
            _start(settings, browser=browser)
            return
        except CannotListen as error:
            running = address_of(settings)  # another `llmaas up` may have been quicker
            if running is None:
                fail(str(error), error.hint)
    visit(settings, running, browser=browser)


def _start(settings: Settings, *, browser: bool) -> None:
    """Bring, and serve until the end. Raises CannotListen."""
    from llmaas_server.gateway.sign_in_links import SignInLinks

    from .bringing import bring, missing_models
    from .serving import check, run

    if missing := missing_models(settings):
        check(settings)  # nothing is fetched for a server that cannot start
        bring(settings, missing)
    if not settings.console:
        typer.echo("The console is off (console = false): there is nothing to open.")
    run(settings, SignInLinks.at_start, then=_open if browser else None)


def _open(link: str) -> None:
    """Beside the server: some browsers return only when they are closed."""
    from llmaas_client.cli.browser import show

    threading.Thread(target=show, args=(link,), name="browser", daemon=True).start()
