"""obstore: asynchronous puts, as many at once as its documentation shows; multipart by itself."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import obstore
from obstore.store import S3Store

AT_ONCE = 16
"""The same as our workers; more are no faster on one server."""


async def upload(root: str, bucket: str, prefix: str) -> None:
    """Upload what is below `root`."""
    store = S3Store(
        bucket,
        endpoint=os.environ["AWS_ENDPOINT_URL"],
        access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        region=os.environ["AWS_DEFAULT_REGION"],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    slots = asyncio.Semaphore(AT_ONCE)

    async def put(path: str) -> None:
        async with slots:
            await obstore.put_async(store, f"{prefix}/{os.path.relpath(path, root)}", Path(path))

    paths = [os.path.join(at, name) for at, _, names in os.walk(root) for name in names]
    await asyncio.gather(*(put(path) for path in paths))


if __name__ == "__main__":
    asyncio.run(upload(*sys.argv[1:]))
    # One time in four obstore 0.12 aborts while Python ends, with everything uploaded: its threads
    # still give back what they hold of Python. Nothing is left to do, so Python need not end.
    os._exit(0)
