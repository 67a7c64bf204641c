"""The commands of `llmaas accounts` that are about people: invite, register, sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from .managing import TIMEOUT, Json, Seconds, asking, managing
from .options import BaseURL
from .passwords import ask
from .tables import moment, print_json, print_table

Email = Annotated[str, typer.Argument(metavar="EMAIL", show_default=False)]


def invite(
    days: Annotated[int, typer.Option(min=1, max=90, help="How long it is good.")] = 7,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Make an invitation: it lets one person register, once, where `registration` is `invite`."""
    with managing(base_url, timeout) as client:
        made = client.accounts.invitations.create(days=days)
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    typer.echo(made.token)
    typer.echo(f"{made.id} is good until {moment(made.expires_at)}; it is shown once", err=True)


def invitations(
    as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """List the invitations."""
    with managing(base_url, timeout) as client:
        found = client.accounts.invitations.list()
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (one.id, moment(one.created_at), moment(one.expires_at), moment(one.used_at))
        for one in found
    ]
    print_table(("id", "created", "expires", "used"), rows)


def uninvite(
    invitation: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Take an invitation back."""
    with managing(base_url, timeout) as client:
        gone = client.accounts.invitations.revoke(invitation)
    if as_json:
        print_json(gone.model_dump(mode="json"))
        return
    typer.echo(f"took back {gone.id}")


def register(
    email: Email,
    name: Annotated[str | None, typer.Option(help="Of the account.")] = None,
    invitation: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Where the server asks for one.")
    ] = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Make an account for oneself, where the server lets people; the password is asked for."""
    password = ask(twice=True)
    with asking(base_url, timeout) as client:
        answer = client.account.register(email, password, name=name, invitation=invitation)
    if as_json:
        print_json(answer.model_dump(mode="json"))
        return
    typer.echo(f"{answer.status}. {answer.hint}")


def sign_in(
    email: Email, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Print a management key that is good for some hours; the password is asked for.

    export LLMAAS_MANAGEMENT_KEY=$(llmaas accounts sign-in me@example.org)
    """
    password = ask(twice=False)
    with asking(base_url, timeout) as client:
        answer = client.account.sign_in(email, password)
    if as_json:
        print_json(answer.model_dump(mode="json"))
        return
    typer.echo(answer.key.secret)
    end = moment(answer.key.expires_at)
    typer.echo(f"{answer.key.id} manages {answer.account.id} until {end}", err=True)


COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (invite, "invite"),
    (invitations, "invitations"),
    (uninvite, "uninvite"),
    (register, "register"),
    (sign_in, "sign-in"),
)
