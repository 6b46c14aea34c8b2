"""A plain `Http` (app/crm/http.py) for tests of clients: httpx, with nothing checked."""

from typing import Self

import httpx

from app.crm.http import Request, Response, Unreachable


class PlainHttp:
    """Sends requests anywhere."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._client = httpx.AsyncClient(timeout=seconds, trust_env=False)

    async def __call__(self, request: Request) -> Response:
        try:
            answer = await self._client.request(
                request.method, request.url, headers=dict(request.headers), content=request.body
            )
        except httpx.TransportError as error:
            raise Unreachable("timeout" if isinstance(error, httpx.TimeoutException) else "connection") from error
        return Response(answer.status_code, dict(answer.headers), answer.content)

    async def close(self) -> None:
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
