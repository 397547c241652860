"""Run the server: listen, serve, and stop in good order when it is asked to."""

from __future__ import annotations

import contextlib
import gc
import logging
import ssl
import sys
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError, UsageError
from projects.jobs.http import token_files
from projects.jobs.http.gate import Gate, is_loopback, loopback_names
from projects.satellite.registration.export import warning
from projects.server.app import local_token
from projects.server.app.listening import bind

if TYPE_CHECKING:
    from fastapi import FastAPI

    from projects.server.app.options import Options

_TALKATIVE = ("uvicorn.error", "alembic")


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT: then stop accepting, let calls end, leave jobs running.

    Raises
    ------
    UsageError, InfrastructureError
        The server can't be started: the message says what is in the way. Or it had to stop, because
        another one runs the jobs of its database.
    """
    from projects.server.app.asgi import Server
    from projects.server.app.assembly import check_apps, create_app, registered, running_services

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    check_apps(options.apps)
    _check_tls(options)
    with contextlib.closing(bind(options.host, options.port, options.patience)) as sock:
        port = sock.getsockname()[1]
        with running_services(options) as services, registered(options, port, services):
            app = create_app(services, options.apps)
            token = local_token.keep_local_token(services.store, options)
            files = local_token.files_for(options, port)
            for file in files:
                token_files.write(file, token)
            try:
                server = Server(
                    gate_for(options, app),
                    services,
                    lambda: _say(options, port, app),
                    ssl_certfile=options.tls_certificate,
                    ssl_keyfile=options.tls_key,
                )
                _spare_the_collector()
                server.run(sockets=[sock])
                if services.engine.lost:
                    raise InfrastructureError(services.engine.lost)
            finally:
                for file in files:
                    token_files.remove(file, token)


def _spare_the_collector() -> None:
    """Look for cycles of objects less often, and not among what the server is made of.

    A full look at the half million objects of the libraries takes 30 to 100 ms, with everybody
    waiting, and comes the sooner the more jobs there are; hardly anything here is in a cycle. Nor
    is there one before: the few MiB of cycles that imports leave are not worth a tenth of a second.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def gate_for(options: Options, app: FastAPI) -> Gate:
    """Return the application behind its Host check."""
    hosts = None
    further = {name.lower() for name in (*options.allowed_hosts, options.export_host) if name}
    if is_loopback(options.host):
        hosts = loopback_names(options.host) | further
    elif options.allowed_hosts:
        hosts = further | {options.host}
    return Gate(app, hosts=hosts, count=app.state.measures.count)


def _check_tls(options: Options) -> None:
    certificate, key = options.tls_certificate, options.tls_key
    if key and not certificate:
        raise UsageError("--tls_key is given without --tls_certificate")
    if certificate:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"--tls_certificate={certificate}, --tls_key={key or 'not given'}:"
                f" {error.strerror or error}"
            ) from None


def _say(options: Options, port: int, app: FastAPI) -> None:
    host = f"[{options.host}]" if ":" in options.host else options.host or "localhost"
    address = f"{options.scheme}://{host}:{port}"
    name = f" {options.nickname}" if options.nickname else ""
    lines = [
        f"Topgallant {options.version}{name}: {address}",
        f"  routes  {address}/docs",
        f"  data    {options.engine.data_directory}",
        f"  token   {options.token_file} (the command line on this machine finds it)",
        "  stop    Ctrl-C or SIGTERM; jobs go on and the next server takes them over",
    ]
    for greeting in app.state.greetings:
        lines += greeting(address, is_loopback(options.host))
    if hint := warning(options.host, options.export_host):
        lines.append(f"  WARNING {hint}")
    if not is_loopback(options.host) and not options.tls_certificate:
        lines.append("  WARNING others on the network can read tokens: give --tls_certificate")
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
