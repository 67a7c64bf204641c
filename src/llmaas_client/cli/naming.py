"""Accounts and applications by the names that people gave them; ids are taken as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmaas_client.client import Client
from llmaas_client.wire.accounts import Account

from .failures import WrongUsage

ME = "me"


def account_id(client: Client, word: str | None) -> str | None:
    """The id of the account that `word` is the id or the name of. Raises WrongUsage."""
    if word is None or word == ME or word.startswith("acc_"):
        return word
    found = [one.id for one in every_account(client) if one.name == word and one.status != "closed"]
    return _one("account", word, found)


def application_id(client: Client, word: str, account: str | None = None) -> str:
    """The id of the application of `account` that `word` is the id or the name of."""
    if word.startswith("app_"):
        return word
    open_ones = (
        one
        for one in client.account.applications.list(account_id=account)
        if one.status != "closed"
    )
    return _one("application", word, [one.id for one in open_ones if one.name == word])


def every_account(client: Client) -> Iterator[Account]:
    """Page by page."""
    after = None
    while True:
        page = client.accounts.list(after=after)
        yield from page.accounts
        after = page.next
        if after is None:
            return


def _one(noun: str, word: str, found: Sequence[str]) -> str:
    if len(found) == 1:
        return found[0]
    many = f"{len(found)} {noun}s are" if found else f"no {noun} is"
    raise WrongUsage(f"{many} called {word!r}: `llmaas {noun}s list` shows their ids")
