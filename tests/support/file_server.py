"""A file server on this machine that can be slow, cut connections, lie, and be gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it serves, and how badly.

    Attributes:
        files: Path to content.
        types: Path to a content type; none: octets.
        cut: Bytes after which it drops a connection; None: never.
        stall: Seconds it waits before each answer's content.
        drip: Bytes it sends at a time, a hundredth of a second apart; 0: all at once.
        ranges: Whether it knows ranges.
        first_of_range: What it makes of the offset it was asked for.
        codes: Path to answers that come before the file, e.g. ``[503, 503]``.
        redirects: Path to path.
        log: Path and range of each request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    stall: float = 0.0
    drip: int = 0
    ranges: bool = True
    first_of_range: Callable[[int], int] = lambda first: first
    codes: dict[str, list[int]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    log: list[tuple[str, str | None]] = field(default_factory=list)

    def asked(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(place == path for place, _ in self.log)


@contextmanager
def serving() -> Iterator[FileServer]:
    """A server on a free port of this machine."""
    state = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.log.append((self.path, wanted))
            if state.codes.get(self.path):
                return self.send_error(state.codes[self.path].pop(0))
            if self.path in state.redirects:
                self.send_response(302)
                self.send_header("Location", state.redirects[self.path])
                return self.end_headers()
            if self.path not in state.files:
                return self.send_error(404)
            self.send(state.files[self.path], wanted if state.ranges else None)

        def send(self, content: bytes, wanted: str | None) -> None:
            first, last = 0, len(content) - 1
            if wanted:
                begin, _, end = wanted.removeprefix("bytes=").partition("-")
                first = state.first_of_range(int(begin))
                last = min(last, int(end)) if end else last
                if first >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    return self.end_headers()
            self.send_response(206 if wanted else 200)
            if wanted:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            self.send_header("Content-Type", state.types.get(self.path, "application/octet-stream"))
            self.send_header("Content-Length", str(last + 1 - first))
            self.end_headers()
            time.sleep(state.stall)
            end = last + 1 if state.cut is None else min(last + 1, first + state.cut)
            step = state.drip or max(1, end - first)
            for place in range(first, end, step):
                self.wfile.write(content[place : min(place + step, end)])
                time.sleep(0.01 if state.drip else 0)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
