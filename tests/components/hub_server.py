"""The artifacts of a hub, served for tests: in a thread, or as a process that can be killed."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TOKEN_FILE = "token"


@dataclass
class HubServer:
    """Where it is, who may call it, and what is behind it."""

    url: str
    token: str
    artifacts: Any
    store: Any
    members: dict[str, tuple[str, ...]]

    @property
    def address(self) -> str:
        """What an export is told."""
        return f"hub+{self.url}"

    def token_of(
        self, owner: str, scopes: Sequence[str] = ("submit",), lifetime: float | None = None
    ) -> str:
        """Return a new token."""
        from projects.jobs.http import tokens

        text, token = tokens.issue(owner, scopes, lifetime=lifetime)  # type: ignore[arg-type]
        self.store.add_token(token)
        return text


def make_app(data: Path, members: dict[str, tuple[str, ...]], **settings: Any) -> Any:
    """Return the application: nothing but the artifacts, and who may call."""
    from fastapi import FastAPI

    from projects.hub.artifacts.artifacts import Artifacts
    from projects.hub.artifacts.routes import router
    from projects.hub.store.database import open_hub_store
    from projects.jobs.http import failures
    from projects.jobs.http.access import Authenticator, Bearer, Standing
    from projects.jobs.store.store import open_store

    app = FastAPI(redirect_slashes=False)
    app.state.store = open_store(f"sqlite:///{data}/jobs.db")
    app.state.database = open_hub_store(f"sqlite:///{data}/hub.db")
    app.state.artifacts = Artifacts(app.state.database, data / "blobs", **settings)

    def standing_of(name: str) -> Standing:
        return Standing(admin=name == "root", groups=members.get(name, ()))

    app.state.authenticator = Authenticator([Bearer(app.state.store, standing_of=standing_of)])
    failures.install(app)
    app.include_router(router)
    return app


@contextmanager
def serving(data: Path, port: int = 0, **settings: Any) -> Iterator[HubServer]:
    """Serve in a thread until the context ends."""
    import uvicorn

    members: dict[str, tuple[str, ...]] = {}
    app = make_app(data, members, **settings)
    listener = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    hub = HubServer(url, "", app.state.artifacts, app.state.store, members)
    hub.token = hub.token_of("ada")
    try:
        yield hub
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        app.state.database.close()
        app.state.store.close()


@pytest.fixture
def artifact_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """An empty hub, with a token where everybody finds it."""
    data = tmp_path / "hub"
    data.mkdir()
    with serving(data) as server:
        monkeypatch.setenv("TOPGALLANT_TOKEN", server.token)
        yield server


def main(folder: str, port: str) -> None:
    """Serve as a process; the token is beside, then the port is said."""
    import uvicorn

    from projects.jobs.http import tokens

    data = Path(folder)
    app = make_app(data, {})
    if not (data / TOKEN_FILE).exists():
        text, token = tokens.issue("ada", ("submit",))
        app.state.store.add_token(token)
        (data / TOKEN_FILE).write_text(text)
    listener = socket.create_server(("127.0.0.1", int(port)))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none")
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
