"""Keys: made, shown once, rotated, revoked."""

from __future__ import annotations

from llmaas_client.wire import TASKS
from llmaas_server.gateway.actions import ACTIONS
from llmaas_server.gateway.sessions import NAME
from llmaas_server.ui.page import Content, Page
from llmaas_server.ui.visit import Visit


async def load(visit: Visit) -> Content:
    services, actor = visit.services, visit.actor
    applications = (await services.applications.list(actor)).applications
    keys = (await services.keys.list(actor)).keys
    ended = visit.query.get("ended") == "1"
    return {
        "applications": [one for one in applications if one.status == "active"],
        "names": {one.id: one.name for one in applications},
        "keys": [
            key
            for key in reversed(keys)
            # Those of sessions are ended by signing out.
            if key.name != NAME and (ended or key.status == "active")
        ],
        "ended": ended,
        "tasks": list(TASKS),
        "actions": {name: told for name, told in ACTIONS.items() if name in actor.actions},
    }


PAGE = Page("/keys", "Keys", "pages/keys.html", load, "Manage", order=20, action="keys:read")
