"""Writes that may be sent twice: under an `Idempotency-Key` the first answer is kept with the write and given again."""

import hashlib
import json
from collections.abc import Awaitable, Callable

from app import clock
from app.api.context import Caller
from app.api.problems import Problem, Reply
from app.services.refusals import InvalidRequest, Refused
from app.store.database import Conflict, Transaction
from app.store.idempotency import StoredAnswer, insert_answer, purge_answers, read_answer

REPLAYED = "idempotency-replayed"
_LONGEST = 200


def fingerprint(method: str, path: str, query: str, body: bytes) -> str:
    """What makes two requests the same request."""
    head = f"{method} {path}?{query}\n".encode()
    return hashlib.sha256(head + body).hexdigest()


def is_replayed(reply: Reply) -> bool:
    """Whether nothing was done: the answer is that of an earlier request."""
    return REPLAYED in reply.headers


def given_key(caller: Caller) -> str | None:
    """The `Idempotency-Key`, if there is one. Raises InvalidRequest for one that cannot be."""
    key = caller.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _LONGEST and key.isascii() and key.isprintable()):
        raise InvalidRequest("Idempotency-Key", "bad_idempotency_key", most=_LONGEST)
    return key


async def write(caller: Caller, request: str, work: Callable[[Transaction], Awaitable[Reply]]) -> Reply:
    """Carry out a write in one transaction. `request` is its fingerprint; a refusal is never kept."""
    key = given_key(caller)
    database = caller.services.database
    if key is None:
        try:
            return await database.transaction(work)
        except Conflict:  # another has just made the very row: it is there now
            return await database.transaction(work)

    now = clock.now()
    old = caller.services.forgetting.before(caller.tenant_id, now)

    async def once(tx: Transaction) -> Reply:
        if old is not None:
            await purge_answers(tx, caller.tenant_id, old)
        known = await read_answer(tx, caller.tenant_id, key)
        if known is not None:
            return _again(known, request)
        reply = await work(tx)
        headers = json.dumps(reply.headers)
        await insert_answer(tx, StoredAnswer(caller.tenant_id, key, request, reply.status, headers, reply.body, now))
        return reply

    try:
        return await database.transaction(once)
    except (Conflict, Refused) as error:
        # The same request at the same time may have been faster: then it did the work, and its answer is ours too.
        known = await read_answer(database, caller.tenant_id, key)
        if known is not None:
            return _again(known, request)
        if isinstance(error, Conflict):
            return await database.transaction(once)
        raise


def _again(known: StoredAnswer, request: str) -> Reply:
    if known.fingerprint != request:
        raise Problem("idempotency-key-reused")
    return Reply(known.status, known.body, {**json.loads(known.headers), REPLAYED: "true"})
