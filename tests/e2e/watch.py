"""What no page may do, whatever the test is about."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

# Reported on the console, where it is counted like every other complaint of the browser.
TELL_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
  console.error(`policy violated: ${effectiveDirective} ${blockedURI}`));
"""
# The network was cut or the server ended on purpose; the page says so on its own.
CUT_OFF = re.compile(
    r"ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE"
    r"|ERR_SOCKET_NOT_CONNECTED|ERR_NETWORK_IO_SUSPENDED|ERR_ABORTED|WebSocket connection to"
    r"|status of 50[24]"  # a proxy before it says so
)


class Watch:
    """Collects policy violations, uncaught errors, console errors and requests to foreign hosts."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.problems: list[str] = []
        self.expected: list[re.Pattern[str]] = []
        self.host = urlsplit(address).netloc
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def expect(self, pattern: str | re.Pattern[str]) -> None:
        """From now on this complaint of the browser belongs to the test."""
        self.expected.append(re.compile(pattern))

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Inside, and for what is reported later about it, broken connections are meant."""
        self.expect(CUT_OFF)
        yield

    def _add(self, problem: str) -> None:
        if not any(pattern.search(problem) for pattern in self.expected):
            self.problems.append(problem)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._add(f"console: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self._add(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and address.netloc != self.host:
            self._add(f"foreign: {request.url}")
