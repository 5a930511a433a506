"""The least that could be done: Flask reads the same JSON and answers, and keeps nothing.

``python -m benchmarks.bare PORT THREADS``, on granian with the same settings as the connector's.
"""

from __future__ import annotations

import multiprocessing
import sys

import orjson
from flask import Flask, Response, request

from connector.serving import BACKLOG

app = Flask("bare", static_folder=None)


@app.post("/v1/track")
def track() -> Response:
    """Read one event."""
    orjson.loads(request.get_data())
    return Response(b'{"success": true}', content_type="application/json")


def main(port: int, threads: int) -> None:
    """Serve until SIGTERM."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import MPServer

    multiprocessing.set_start_method("fork", force=True)
    server = MPServer(
        "benchmarks.bare:app",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        backlog=BACKLOG,
        websockets=False,
        log_level=LogLevels.warning,
        process_name=None,
    )
    server.serve(target_loader=lambda: app, wrap_loader=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
