"""In and out of the console: by a link, by a password, as a new account; and out again.

These pages work without a script. A form that goes wrong is shown again with what was wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from llmaas_client.wire.accounts import MIN_PASSWORD, Email, NewPassword, Registration, SignIn
from llmaas_client.wire.errors import ERRORS
from llmaas_server.api.cookies import give_cookie, take_cookie, token_of
from llmaas_server.api.door import address_of
from llmaas_server.api.sign_in_links import ENTRANCE
from llmaas_server.errors import Problem
from llmaas_server.gateway.services import Services
from llmaas_server.gateway.sessions import Session

from .forms import read_form, read_model
from .rendering import Renderer

HOME = "/console/"
SIGN_IN = "/console/sign-in"
REGISTER = "/console/register"
PASSWORD = "/console/password"
CONFIRM = "/console/confirm"
SIGN_OUT = "/console/sign-out"


class Chosen(BaseModel):
    """What somebody wants to sign in with from now on."""

    email: Email | None = None
    new_password: NewPassword = Field(repr=False)


class Confirmed(BaseModel):
    password: str = Field(default="", repr=False)


Work = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Entrance:
    """The forms before and around a session."""

    services: Services
    renderer: Renderer
    hours: int
    """How long a session lasts at most."""

    def routes(self) -> list[Route]:
        forms: list[tuple[str, Work, Work]] = [
            (ENTRANCE, self._see_link, self._use_link),
            (SIGN_IN, self._see_sign_in, self._sign_in),
            (PASSWORD, self._see_password, self._set_password),
            (CONFIRM, self._see_confirm, self._confirm),
        ]
        if self.services.registrations.mode != "closed":
            forms.append((REGISTER, self._see_register, self._register))
        routes = [Route(_below(SIGN_OUT), self._sign_out, methods=["POST"])]
        for path, see, send in forms:
            routes.append(Route(_below(path), _by_method(see, send), methods=["GET", "POST"]))
        return routes

    async def session(self, request: Request) -> Session | None:
        token = token_of(request.scope)
        return None if token is None else await self.services.sessions.find(token)

    # --- by a link ------------------------------------------------------------------------------

    async def _see_link(self, request: Request) -> Response:
        """Looking at a link does not use it up: programs that fetch what they find do that."""
        token = request.query_params.get("token", "")
        is_good = self.services.sign_in_links.is_good(token)
        return self.renderer.page("entrance/link.html", {"token": token if is_good else None})

    async def _use_link(self, request: Request) -> Response:
        fields = await read_form(request)
        user_id = self.services.sign_in_links.use(fields.get("token", ""))
        if user_id is None:
            return self.renderer.page("entrance/link.html", {"token": None})
        return await self._enter(request, user_id, HOME, by_link=True)

    # --- by a password --------------------------------------------------------------------------

    async def _see_sign_in(self, request: Request) -> Response:
        if await self.session(request) is not None:
            return lead_to(_within(request.query_params.get("next")))
        return self._sign_in_page(request.query_params.get("next", ""))

    async def _sign_in(self, request: Request) -> Response:
        fields = await read_form(request)
        onward = fields.pop("next", "")
        try:
            asked = read_model(SignIn, fields)
            user = await self.services.registrations.proved(
                asked.email, asked.password, address_of(request.scope), "sign-in"
            )
        except Problem as problem:
            return self._sign_in_page(onward, problem, fields.get("email", ""))
        return await self._enter(request, user.id, _within(onward))

    def _sign_in_page(
        self, onward: str, problem: Problem | None = None, email: str = ""
    ) -> Response:
        content = {
            "problem": problem,
            "email": email,
            "next": onward,
            "register": None if self.services.registrations.mode == "closed" else REGISTER,
        }
        return self._form("entrance/sign-in.html", content, problem)

    # --- as a new account -----------------------------------------------------------------------

    async def _see_register(self, request: Request) -> Response:
        return self._register_page({"invitation": request.query_params.get("invitation", "")})

    async def _register(self, request: Request) -> Response:
        fields = await read_form(request)
        try:
            asked = read_model(Registration, fields)
            await self.services.registrations.register(asked, address_of(request.scope))
        except Problem as problem:
            return self._register_page(fields, problem)
        # The same whether the e-mail was known or not.
        return self.renderer.page("entrance/registered.html", {"sign_in": SIGN_IN})

    def _register_page(self, fields: dict[str, str], problem: Problem | None = None) -> Response:
        content = {
            "problem": problem,
            "fields": fields,
            "invited": self.services.registrations.mode == "invite",
            "least": MIN_PASSWORD,
            "sign_in": SIGN_IN,
        }
        return self._form("entrance/register.html", content, problem)

    # --- inside ---------------------------------------------------------------------------------

    async def _see_password(self, request: Request) -> Response:
        session = await self.session(request)
        return lead_to(SIGN_IN) if session is None else self._password_page(session)

    async def _set_password(self, request: Request) -> Response:
        session = await self.session(request)
        if session is None:
            return lead_to(SIGN_IN)
        fields = await read_form(request, session)
        address = address_of(request.scope)
        try:
            if not session.confirmed:
                await self._prove(session, fields.pop("password", ""), address)
                session = replace(session, confirmed=True)
            if fields.get("new_password") != fields.pop("again", None):
                raise Problem(
                    "invalid_request",
                    "the two passwords are not the same",
                    hint="Type the new one twice.",
                    param="again",
                )
            chosen = read_model(Chosen, fields)
            await self.services.own_passwords.set(
                session, chosen.email, chosen.new_password, address
            )
        except Problem as problem:
            return self._password_page(session, problem, fields.get("email", ""))
        return lead_to(HOME)

    def _password_page(
        self, session: Session, problem: Problem | None = None, email: str = ""
    ) -> Response:
        content = {
            "problem": problem,
            "csrf": session.csrf,
            "first": not session.has_password,
            "needs_email": session.user.email is None,
            "confirmed": session.confirmed,
            "email": email,
            "least": MIN_PASSWORD,
        }
        return self._form("entrance/password.html", content, problem)

    async def _see_confirm(self, request: Request) -> Response:
        session = await self.session(request)
        if session is None:
            return lead_to(SIGN_IN)
        return self._confirm_page(session, request.query_params.get("next", ""))

    async def _confirm(self, request: Request) -> Response:
        """Also for modules, which send the form and look at the status."""
        session = await self.session(request)
        if session is None:
            return lead_to(SIGN_IN)
        fields = await read_form(request, session)
        onward = fields.pop("next", "")
        try:
            given = read_model(Confirmed, fields)
            await self._prove(session, given.password, address_of(request.scope))
        except Problem as problem:
            return self._confirm_page(session, onward, problem)
        return lead_to(_within(onward))

    def _confirm_page(
        self, session: Session, onward: str, problem: Problem | None = None
    ) -> Response:
        content = {"problem": problem, "csrf": session.csrf, "next": onward}
        return self._form("entrance/confirm.html", content, problem)

    async def _sign_out(self, request: Request) -> Response:
        session = await self.session(request)
        response = lead_to(SIGN_IN)
        if session is not None:
            await read_form(request, session)
            await self.services.sessions.end(session, address_of(request.scope))
        take_cookie(request.scope, response)
        return response

    # --- together -------------------------------------------------------------------------------

    async def _enter(
        self, request: Request, user_id: str, onward: str, *, by_link: bool = False
    ) -> Response:
        """Begin a session; the one that there was ends."""
        address = address_of(request.scope)
        before = await self.session(request)
        token = await self.services.sessions.begin(user_id, address, by_link=by_link)
        if before is not None:
            await self.services.sessions.end(before, address)
        response = lead_to(onward)
        give_cookie(request.scope, response, token, self.hours * 3600)
        return response

    async def _prove(self, session: Session, password: str, address: str | None) -> None:
        """That the person has the password. Raises Problem `wrong_password`, `rate_limited`."""
        await self.services.registrations.proved_again(session.user, password, address)
        await self.services.sessions.confirm(session)

    def _form(
        self, template: str, content: Mapping[str, object], problem: Problem | None
    ) -> Response:
        status = None if problem is None else ERRORS[problem.code].status
        return self.renderer.page(template, content, status)


def sign_in_first(request: Request) -> Response:
    """To the sign-in, and then back to what was asked for."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return lead_to(SIGN_IN if here == HOME else f"{SIGN_IN}?next={quote(here, safe='')}")


def _by_method(see: Work, send: Work) -> Work:
    async def either(request: Request) -> Response:
        return await (send if request.method == "POST" else see)(request)

    return either


def lead_to(path: str) -> Response:
    return RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})


def _within(path: str | None) -> str:
    """A page of the console, and no other address: links must not lead away from it."""
    good = path is not None and path.startswith(HOME) and "\\" not in path and "//" not in path
    return path if good and path is not None else HOME


def _below(path: str) -> str:
    """An address as the router below the console's sees it."""
    return path.removeprefix(HOME.rstrip("/"))
