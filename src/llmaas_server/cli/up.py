"""`llmaas up`: bring the models, start the server, and open its console."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from .flags import taking_settings

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
    from llmaas_server.gateway.sign_in_links import SignInLinks

    from .already import address_of, visit
    from .bringing import bring, missing_models
    from .serving import check, run

    running = address_of(settings)
    if running is None and (missing := missing_models(settings)):
        check(settings)  # nothing is fetched for a server that cannot start
        bring(settings, missing)
        running = address_of(settings)  # another `llmaas up` may have been quicker
    if running is not None:
        visit(settings, running, browser=browser)
        return
    if not settings.console:
        typer.echo("The console is off (console = false): there is nothing to open.")
    run(settings, SignInLinks.at_start, then=_open if browser else None)


def _open(link: str) -> None:
    """Beside the server: some browsers return only when they are closed."""
    from llmaas_client.cli.browser import show

    threading.Thread(target=show, args=(link,), name="browser", daemon=True).start()
