"""The commands of `llmaas accounts` that are about people: invite, register, sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from .managing import TIMEOUT, Json, Seconds, asking, managing
from .options import BaseURL
from .passwords import ask, ask_change
from .tables import moment, print_list, print_told

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
    aside = f"{made.id} is good until {moment(made.expires_at)}; it is shown once"
    print_told(made, as_json, made.token, aside)


def invitations(
    as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """List the invitations."""
    with managing(base_url, timeout) as client:
        found = client.accounts.invitations.list()
    print_list(
        found,
        as_json,
        {
            "id": lambda one: one.id,
            "created": lambda one: moment(one.created_at),
            "expires": lambda one: moment(one.expires_at),
            "used": lambda one: moment(one.used_at),
        },
    )


def uninvite(
    invitation: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Take an invitation back."""
    with managing(base_url, timeout) as client:
        gone = client.accounts.invitations.revoke(invitation)
    print_told(gone, as_json, f"took back {gone.id}")


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
    print_told(answer, as_json, f"{answer.status}. {answer.hint}")


def sign_in(
    email: Email, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Print a management key that is good for some hours; the password is asked for.

    export LLMAAS_MANAGEMENT_KEY=$(llmaas accounts sign-in me@example.org)
    """
    password = ask(twice=False)
    with asking(base_url, timeout) as client:
        answer = client.account.sign_in(email, password)
    end = moment(answer.key.expires_at)
    aside = f"{answer.key.id} manages {answer.account.id} until {end}"
    print_told(answer, as_json, answer.key.secret, aside)


def password(
    email: Email, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Change the password that one signs in with; the old and the new one are asked for.

    Elsewhere than on a terminal they are the first two lines of standard input.
    """
    old, new = ask_change()
    with asking(base_url, timeout) as client:
        changed = client.account.change_password(email, old, new)
    print_told(changed, as_json, "The password is changed.")


COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (invite, "invite"),
    (invitations, "invitations"),
    (uninvite, "uninvite"),
    (register, "register"),
    (sign_in, "sign-in"),
    (password, "password"),
)
