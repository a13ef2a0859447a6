"""An endpoint that stores and gives back whatever comes, without holding it in memory.

COFFER_SOCKET=run/coffer.sock uvicorn app:app
"""

from __future__ import annotations

from typing import Any, AsyncIterator

import coffer
import coffer.aio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

app = FastAPI()
uploads = coffer.aio.Client().storage("uploads")


@app.put("/files/{key:path}", status_code=201)
async def upload(key: str, request: Request) -> dict[str, Any]:
    """Stores the body piece by piece; a client that goes away leaves nothing."""
    stored = await uploads.put(key, request.stream(), content_type=request.headers.get("content-type"))
    return {"key": stored.key, "size": stored.size}


@app.get("/files/{key:path}")
async def download(key: str) -> StreamingResponse:
    """Streams an object."""
    reader = await uploads.open(key)

    async def pieces() -> AsyncIterator[bytes]:
        try:
            async for piece in reader:
                yield piece
        finally:
            reader.close()

    headers = {"Content-Length": str(reader.length)}
    return StreamingResponse(pieces(), media_type=reader.object.content_type, headers=headers)


@app.exception_handler(coffer.CofferError)
async def failed(request: Request, error: coffer.CofferError) -> JSONResponse:
    """The host's own words and status."""
    return JSONResponse({"error": error.code, "detail": error.detail}, error.status or 503)
