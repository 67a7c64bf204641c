"""A person at the console, without a browser: cookies, forms, and the token of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

from llmaas_server.app import ModelStore
from llmaas_server.seam.backend import Backend
from llmaas_server.settings import Settings
from support.front import Front, front

PASSWORD = "correct horse battery"
EMAIL = "owner@example.org"


@contextmanager
def served(
    home: Path,
    backend: Backend | None = None,
    store: ModelStore | None = None,
    registration: Literal["closed", "invite", "open"] = "open",
) -> Iterator[Front]:
    """A server with a console, on the fake backend."""
    settings = Settings(home=home, cache=home, backend="fake", registration=registration)
    with front(settings, backend, store) as running:
        yield running


@dataclass
class Person:
    """One browser; `http` keeps its cookies."""

    server: Front
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.server.url, timeout=10.0)

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *raised: object) -> None:
        self.http.close()

    def link(self) -> str:
        """The path of a new sign-in link of the operator."""
        path: str = self.server.manage.post("/v1/sign-in-links").json()["path"]
        return path

    def enter(self, path: str | None = None) -> httpx.Response:
        """Follow a link to its end."""
        path = path or self.link()
        return self.send("/console/enter", token=path.partition("token=")[2])

    def send(self, path: str, **fields: str) -> httpx.Response:
        """A form, as a page of the server sends it."""
        return self.http.post(path, data=fields, headers={"origin": self.server.url})

    @property
    def csrf(self) -> str:
        """Of the session, from a page that every person can see."""
        found = re.search(r'name="csrf" value="(\w+)"', self.http.get("/console/password").text)
        assert found is not None, "nobody is signed in"
        return found[1]

    def choose_password(self, password: str = PASSWORD, email: str = EMAIL) -> httpx.Response:
        return self.send(
            "/console/password", csrf=self.csrf, email=email, new_password=password, again=password
        )

    def become_owner(self) -> None:
        """Sign in as the one who runs the server, with a password that was just given."""
        self.enter()
        if self.is_in:  # another test has chosen the password
            self.send("/console/confirm", csrf=self.csrf, password=PASSWORD)
        else:
            self.choose_password()

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A call of the API, as a module of a page makes it."""
        headers = {"origin": self.server.url, "x-csrf-token": self.csrf}
        return self.http.request(method, path, json=body, headers=headers)

    @property
    def is_in(self) -> bool:
        return self.http.get("/console/").is_success
