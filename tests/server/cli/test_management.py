"""`llmaas accounts`, `applications`, `keys`, `usage` and `prices` against a real front, and the
same on its database when it does not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmaas_client import Client
from llmaas_client.cli import main
from support.front import Front
from support.homes import Capture, home, left, llmaas, pipe, served, somewhere

__all__ = ["home", "left", "llmaas", "pipe", "served", "somewhere"]

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.usefixtures("somewhere")
def test_an_account_from_its_making_to_its_end(
    llmaas: Callable[..., Any], pipe: Callable[[str], None]
) -> None:
    pipe("correct horse battery\n")
    made = llmaas(
        *("accounts", "create", "acme", "--email", "a@b.example"),
        *("--budget", "10/month", "--concurrency", "3", "--tokens-per-minute", "1000"),
    )
    assert (made["name"], made["status"], made["budget"]["amount"]) == ("acme", "active", "10")
    account = made["id"]
    changed = llmaas("accounts", "update", account, "--concurrency", "0", "--budget", "none")
    assert changed["limits"]["tokens_per_minute"] == 1000  # what was not named stays
    assert changed["limits"]["concurrency"] is None
    assert changed["budget"] is None
    assert llmaas("accounts", "suspend", account)["status"] == "suspended"
    assert llmaas("accounts", "resume", account)["status"] == "active"
    assert {one["name"] for one in llmaas("accounts", "list")} == {"local", "acme"}
    assert llmaas("accounts", "show")["name"] == "local"
    assert llmaas("accounts", "erase", account, "--yes") == {"id": account}
    assert llmaas("accounts", "show", account)["status"] == "closed"


@pytest.mark.usefixtures("somewhere")
def test_an_application_from_its_making_to_its_end(llmaas: Callable[..., Any]) -> None:
    made = llmaas(
        "applications", "create", "reports", "--task", "chat", "--model", "m", "--retention"
    )
    application = made["id"]
    assert (made["tasks"], made["models"], made["retention"]) == (["chat"], ["m"], True)
    changed = llmaas(
        *("applications", "update", application, "--any-model", "--no-retention"),
        *("--requests-per-minute", "60"),
    )
    assert (changed["tasks"], changed["models"], changed["retention"]) == (["chat"], None, False)
    assert changed["limits"]["requests_per_minute"] == 60
    assert llmaas("applications", "suspend", application)["status"] == "suspended"
    assert llmaas("applications", "resume", application)["status"] == "active"
    assert [one["name"] for one in llmaas("applications", "list")] == ["default", "reports"]
    assert llmaas("applications", "show", application) == changed
    assert llmaas("applications", "delete", application)["status"] == "closed"


@pytest.mark.usefixtures("somewhere")
def test_a_key_from_its_making_to_its_end(llmaas: Callable[..., Any]) -> None:
    made = llmaas("keys", "create", "ci", "--task", "chat", "--days", "9", "--budget", "1.5/total")
    assert made["secret"].startswith(f"llmaas_sk_{made['id'].removeprefix('key_')}_")
    assert made["expires_at"] is not None
    shown = llmaas("keys", "show", made["id"])
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    changed = llmaas(
        "keys", "update", made["id"], "--name", "b", "--task", "chat", "--task", "embed"
    )
    assert (changed["name"], changed["tasks"]) == ("b", ["chat", "embed"])
    next_one = llmaas("keys", "rotate", made["id"], "--grace", "60")
    assert next_one["replaces"] == made["id"]
    assert llmaas("keys", "revoke", made["id"])["status"] == "revoked"
    listed = {one["id"]: one["status"] for one in llmaas("keys", "list")}
    assert listed[made["id"]] == "revoked"
    assert listed[next_one["id"]] == "active"


@pytest.mark.usefixtures("somewhere")
def test_names_do_as_well_as_ids(llmaas: Callable[..., Any], capsys: Capture) -> None:
    account = llmaas("accounts", "create", "acme")["id"]
    application = llmaas("applications", "create", "reports", "--account", "acme")["id"]
    key = llmaas("keys", "create", "ci", "--account", "acme", "--application", "reports")
    assert (key["account_id"], key["application_id"]) == (account, application)
    assert [one["id"] for one in llmaas("keys", "list", "--account", "acme")] == [key["id"]]
    assert llmaas("accounts", "suspend", "acme")["id"] == account
    llmaas("accounts", "create", "acme")
    for words, says in (
        (["accounts", "show", "nobody"], "no account is called 'nobody'"),
        (["accounts", "show", "acme"], "2 accounts are called 'acme'"),
        (["applications", "show", "reports"], "no application is called 'reports'"),
    ):
        assert main(words) == 2
        assert says in capsys.readouterr().err


@pytest.mark.usefixtures("somewhere")
def test_prices_and_invitations(llmaas: Callable[..., Any]) -> None:
    price = llmaas("prices", "set", "--task", "chat", "--prompt", "0.5", "--from", "2030-01-31")
    assert (price["prompt"], price["valid_from"]) == ("0.5", "2030-01-31T00:00:00Z")
    assert llmaas("prices", "list") == [price]
    invitation = llmaas("accounts", "invite", "--days", "2")
    assert invitation["token"].startswith(invitation["id"])
    assert [one["id"] for one in llmaas("accounts", "invitations")] == [invitation["id"]]
    llmaas("accounts", "uninvite", invitation["id"])
    assert llmaas("accounts", "invitations") == []


WRONG: list[tuple[list[str], int, str]] = [
    (["keys", "show", "key_none"], 1, "there is no key 'key_none'"),
    (["keys", "create", "ci", "--task", "sing"], 1, "sing"),
    (["keys", "create", "ci", "--management", "--task", "chat"], 1, "management key has no"),
    (["keys", "create", "ci", "--budget", "10"], 2, "10/month"),
    (["keys", "create", "ci", "--days", "0"], 2, "--days"),
    (["keys", "update", "key_none"], 2, "nothing to change"),
    (["accounts", "erase", "acc_none"], 2, "--yes"),
    (["accounts", "create", "acme", "--email", "nobody"], 1, "email"),
    (["prices", "set", "--model", "m"], 2, "--prompt 0.10"),
    (["prices", "set", "--prompt", "cheap"], 1, "prompt"),
    (["prices", "set", "--prompt", "1", "--from", "soon"], 2, "2026-01-31"),
    (["prices", "set", "--prompt", "1", "--from", "2020-01-31"], 1, "past"),
    (["usage", "--by", "month"], 2, "day"),
    (["usage", "--since", "soon"], 1, "2026-01-31"),
    (["usage", "--csv", "--json"], 2, "choose one"),
]


@pytest.mark.usefixtures("somewhere")
def test_what_is_wrong_is_one_line_and_changes_nothing(
    llmaas: Callable[..., Any], capsys: Capture, pipe: Callable[[str], None]
) -> None:
    nouns = ("accounts", "applications", "keys", "prices")
    before = [llmaas(noun, "list") for noun in nouns]
    for command, code, says in WRONG:
        pipe("correct horse battery\n")
        assert main(command) == code, command
        out, err = capsys.readouterr()
        error = err.splitlines()[-1]
        assert out == ""
        assert error.startswith("error: ")
        assert says in error, command
    assert [llmaas(noun, "list") for noun in nouns] == before


def test_a_secret_is_alone_on_standard_output(served: Front, capsys: Capture) -> None:
    assert main(["keys", "create", "ci", "--task", "chat"]) == 0
    out, err = capsys.readouterr()
    secret = out.removesuffix("\n")
    assert secret not in err
    assert "not shown again" in err
    with Client(served.url, secret) as client:
        assert client.chat("Hello").text
    assert main(["keys", "list"]) == 0
    assert secret not in capsys.readouterr().out


def test_tables_name_what_they_show(served: Front, capsys: Capture) -> None:
    for noun in ("accounts", "applications", "keys", "prices"):
        assert main([noun, "list"]) == 0
        header, *rows = capsys.readouterr().out.splitlines()
        assert all(row.count("\t") == header.count("\t") for row in rows)
    assert main(["accounts", "show"]) == 0
    assert "role\toperator" in capsys.readouterr().out


def test_usage(served: Front, capsys: Capture, llmaas: Callable[..., Any]) -> None:
    llmaas("prices", "set", "--prompt", "1", "--completion", "2")
    with Client(served.url, served.key) as client:
        costs = [client.chat("Hello you").cost for _ in range(3)]
    report = llmaas("usage", "--by", "task", "--by", "key")
    (group,) = report["groups"]
    assert (group["task"], group["calls"]) == ("chat", 3)
    assert group["cost"] == report["total"]["cost"] != "0"
    assert costs[0] is not None
    assert main(["usage", "--by", "task", "--csv"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.startswith("task,calls,")
    assert line == f"chat,3,6,0,6,0,0,{group['cost']}"
    assert main(["usage", "--by", "task"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[1].split("\t")[:2] == ["chat", "3"]
    assert rows[2].split("\t")[:2] == ["total", "3"]


def test_people_register_by_invitation_and_sign_in(
    served: Front, capsys: Capture, llmaas: Callable[..., Any], pipe: Callable[[str], None]
) -> None:
    token = llmaas("accounts", "invite")["token"]
    pipe("correct horse battery\n")
    llmaas("accounts", "register", "new@b.example", "--invitation", token)
    pipe("correct horse battery\n")
    assert main(["accounts", "sign-in", "new@b.example"]) == 0
    key = capsys.readouterr().out.strip()
    with Client(served.url, management_key=key) as client:
        assert client.account.show().name == "new"
        made = client.account.keys.create("mine")
    with Client(served.url, made.secret) as client:
        assert client.chat("Hello").text
    pipe("wrong horse battery\n")
    assert main(["accounts", "sign-in", "new@b.example"]) == 4
    assert "password" in capsys.readouterr().err


def test_export(served: Front, tmp_path: Path, capsys: Capture, llmaas: Callable[..., Any]) -> None:
    account = llmaas("accounts", "show")["id"]
    file = tmp_path / "account.json"
    assert main(["accounts", "export", account, str(file)]) == 0
    assert json.loads(file.read_text())["account"]["id"] == account
    assert file.stat().st_mode & 0o777 == 0o600
    capsys.readouterr()
    assert main(["accounts", "export", account, str(file)]) == 2
    assert "another file" in capsys.readouterr().err
