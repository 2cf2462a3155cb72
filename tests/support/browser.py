"""A headless Chromium, driven through chromedriver with the standard library only."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def found() -> tuple[str, str] | None:
    """Paths of a browser and of chromedriver; None unless both are there."""
    driver = shutil.which("chromedriver")
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return (browser, driver) if browser and driver else None


class Browser:
    """One tab."""

    def __init__(self, address: str) -> None:
        browser, _ = found() or ("", "")
        options = {"binary": browser, "args": list(FLAGS)}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._address = f"{address}/session"
        made = self._send("", {"capabilities": {"alwaysMatch": wanted}})
        self._address += f"/{made['sessionId']}"

    def _send(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self._address + path, data, method=method), timeout=60) as answer:
            return json.load(answer)["value"]

    def _devtools(self, command: str, **params: Any) -> Any:
        return self._send("/goog/cdp/execute", {"cmd": command, "params": params})

    def open(self, file: Path, width: int, scheme: str) -> None:
        """Show a file at a width (CSS pixels), ``"light"`` or ``"dark"``, without network."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False},
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._devtools("Emulation.setEmulatedMedia", features=[feature])
        self._send("/url", {"url": file.resolve().as_uri()})

    def run(self, script: str) -> Any:
        """The value that JavaScript returns."""
        return self._send("/execute/sync", {"script": script, "args": []})

    def console(self) -> list[str]:
        """Messages since the last call."""
        return [entry["message"] for entry in self._send("/se/log", {"type": "browser"})]

    def picture(self, file: Path) -> None:
        """Write the whole page as PNG."""
        made = self._devtools("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(made["data"]))

    def close(self) -> None:
        """End the session."""
        self._send("", method="DELETE")


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser that is closed afterwards."""
    _, driver = found() or ("", "")
    with subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout or ())
            line = next(line for line in lines if "successfully on port" in line)
            tab = _when_ready(f"http://127.0.0.1:{int(line.split()[-1].rstrip('.'))}")
            try:
                yield tab
            finally:
                tab.close()
        finally:
            process.terminate()


def _when_ready(address: str) -> Browser:
    for _ in range(50):
        try:
            return Browser(address)
        except URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.1)
    raise TimeoutError(address)
