"""`/v1/records`: what applications with `retention` asked and were answered."""

from __future__ import annotations

import msgspec

from llmaas_client.wire.records import Record, RecordInfo, RecordList, Removed
from llmaas_server.gateway.access import management
from llmaas_server.gateway.records import Records
from llmaas_server.gateway.views import moment
from llmaas_server.storage.records import RecordRow

from .applications import OF_ACCOUNT
from .endpoint import Endpoint, Parameter
from .managing import Asked, Desk
from .paging import limit_of, parameters

PATH = "/v1/records"
PAGE = 100
MOST_IN_PAGE = 1000

OF_APPLICATION = Parameter("application_id", "Only those of this application.")
ACTION = "records.delete"


class RecordDesk:
    """What each request means to the service."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def list(self, asked: Asked[None]) -> RecordList:
        query, limit = asked.query, limit_of(asked.query, PAGE, MOST_IN_PAGE)
        rows = await self._records.after(
            _account_of(asked), query.get("after", ""), limit, query.get("application_id")
        )
        return RecordList(
            records=[_info(row) for row in rows],
            next=rows[-1].id if len(rows) == limit else None,
        )

    async def show(self, asked: Asked[None]) -> Record:
        record = await self._records.get(_account_of(asked), asked.id)
        return Record(
            **_info(record.row).model_dump(),
            request=msgspec.json.decode(record.request),
            answer=msgspec.json.decode(record.answer),
        )

    async def remove(self, asked: Asked[None]) -> Removed:
        account_id = _account_of(asked)
        entry = asked.actor.entry(ACTION, asked.id, account_id)
        await self._records.remove(account_id, asked.id, entry)
        return Removed(removed=1)

    async def remove_all(self, asked: Asked[None]) -> Removed:
        account_id, application_id = _account_of(asked), asked.query.get("application_id")
        entry = asked.actor.entry(ACTION, application_id or account_id, account_id)
        removed = await self._records.remove_all(account_id, application_id, entry)
        return Removed(removed=removed)


def _account_of(asked: Asked[None]) -> str:
    """Whose records are meant. Raises Problem `not_found`."""
    own = asked.actor.account_id
    wanted = asked.query.get("account_id", own)
    asked.actor.check_reach(wanted, "account", wanted or "")
    assert wanted is not None  # else it would not be reached
    return wanted


def _info(row: RecordRow) -> RecordInfo:
    return RecordInfo(
        id=row.id,
        application_id=row.application_id,
        key_id=row.key_id,
        task=row.task,
        model=row.model,
        made_at=moment(row.made_at),
        expires_at=moment(row.expires_at),
    )


def endpoints(records: Records, desk: Desk) -> list[Endpoint]:
    record = RecordDesk(records)
    one = f"{PATH}/{{id}}"
    read, write = management("records:read"), management("records:write")
    return [
        desk.endpoint(
            "GET",
            PATH,
            "List what was kept of calls",
            record.list,
            read,
            RecordList,
            query=(*parameters("records", PAGE, MOST_IN_PAGE), OF_ACCOUNT, OF_APPLICATION),
            errors=("not_found",),
        ),
        desk.endpoint(
            "GET",
            one,
            "Show a call as it was asked and answered",
            record.show,
            read,
            Record,
            query=(OF_ACCOUNT,),
            errors=("not_found",),
        ),
        desk.endpoint(
            "DELETE",
            PATH,
            "Delete all that was kept of an account, or of one of its applications",
            record.remove_all,
            write,
            Removed,
            query=(OF_ACCOUNT, OF_APPLICATION),
            errors=("not_found",),
        ),
        desk.endpoint(
            "DELETE",
            one,
            "Delete what was kept of a call",
            record.remove,
            write,
            Removed,
            query=(OF_ACCOUNT,),
            errors=("not_found",),
        ),
    ]
