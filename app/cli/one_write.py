"""Answers leave together: head and body in one write, and the answers of one turn of the loop one after the other.

A write costs a system call and, where the client sleeps, waking it, which takes longer than to judge a move. Answers
that are ready in the same turn wait for each other, a few at most, so that a client is woken once for them all.
"""

import asyncio
from typing import Any, cast
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST = 16
"""How many wait for each other: the first is held up by the time that judging so many takes, under a millisecond."""


class OneWrite(HttpToolsProtocol):
    """Uvicorn's protocol on a transport that joins writes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        turn = _turns.get(self.loop) or _turns.setdefault(self.loop, _Turn())
        joining = _Joining(cast("asyncio.Transport", transport), turn)
        super().connection_made(cast("asyncio.Transport", joining))


class _Turn:
    """The connections of one loop that have something to send in this turn."""

    def __init__(self) -> None:
        self._waiting: list[_Joining] = []

    def add(self, one: "_Joining") -> None:
        """Send at the end of the turn, or before if there are many."""
        if len(self._waiting) >= _MOST:
            self.send()
        elif not self._waiting:
            asyncio.get_running_loop().call_soon(self.send)
        self._waiting.append(one)

    def send(self) -> None:
        """Send what waits."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.flush()


_turns: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Turn]" = WeakKeyDictionary()


class _Joining:
    """A transport that holds writes back to the end of this turn of the loop."""

    __slots__ = ("_held", "_transport", "_turn")

    def __init__(self, transport: asyncio.Transport, turn: _Turn) -> None:
        self._transport = transport
        self._turn = turn
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send it soon, with what else there is."""
        if not self._held:
            self._turn.add(self)
        self._held.append(data)

    def close(self) -> None:
        """Send what is held, then close."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            held, self._held = self._held, []
            self._transport.write(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        """Whatever else a transport can do, it does."""
        return getattr(self._transport, name)
