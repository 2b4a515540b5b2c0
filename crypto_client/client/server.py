"""The server's REST interface, as docs/wire.md describes it. Sends and returns; decides nothing."""

import uuid
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from crypto_client.client.failures import Refused, TimedOut, Unreachable
from crypto_client.encoding import decode_base64url, encode_base64url

__all__ = ["JSON", "Server", "b64", "unb64"]

JSON = dict[str, Any]
AUTH = "/_allauth/app/v1"


def b64(data: bytes) -> str:
    """Bytes as the wire writes them."""
    return encode_base64url(data)


def unb64(text: str) -> bytes:
    """Bytes as the wire wrote them; refuses what is not canonical with ``parse``."""
    return decode_base64url(text)


# What the list of own sessions calls this client.
PROGRAM_NAME = "gamrae-command-line"


class Server:
    """One server, asked with one session token. No cookie and no Origin is ever sent."""

    def __init__(self, url: str, *, token: str | None, timeout: float) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._http = httpx.Client(
            base_url=self.url,
            timeout=timeout,
            follow_redirects=False,
            headers={"User-Agent": PROGRAM_NAME},
        )

    @property
    def socket_url(self) -> str:
        """Where the socket is."""
        return self.url.replace("http", "ws", 1) + "/ws/"

    @property
    def origin(self) -> str:
        """Scheme, host and port as device proofs name them, the port always written."""
        parts = urlsplit(self.url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        return f"{parts.scheme}://{parts.hostname}:{port}".lower()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # Signing in and out (allauth's headless app client)

    def sign_up(self, *, email: str, nickname: str, password: str) -> None:
        """Make an account and keep its token.

        `Refused` with ``verification_required`` where the address must be confirmed first.
        """
        body = {"email": email, "nickname": nickname, "password": password}
        self._authenticate("/auth/signup", body)

    def sign_in(self, *, email: str, password: str) -> None:
        """Sign in and keep the token; `Refused` with ``sign_in`` when the pair does not match."""
        self._authenticate("/auth/login", {"email": email, "password": password})

    def sign_out(self) -> None:
        """End the session on the server; a session that has ended already is fine."""
        self._send("DELETE", f"{AUTH}/auth/session")
        self.token = None

    def change_password(self, *, old: str, new: str) -> None:
        """Change the password; the session goes on, others may end."""
        body = {"current_password": old, "new_password": new}
        answer = self._send("POST", f"{AUTH}/account/password/change", body)
        if answer.status_code != 200:
            raise _auth_refusal(answer)
        self._keep_token(answer)

    def _authenticate(self, path: str, body: JSON) -> None:
        self.token = None  # nobody signs in with the session of whoever was here before
        answer = self._send("POST", AUTH + path, body)
        if answer.status_code != 200:
            raise _auth_refusal(answer)
        self._keep_token(answer)

    def _keep_token(self, answer: httpx.Response) -> None:
        token = answer.json().get("meta", {}).get("session_token")
        if token:
            self.token = token

    # Everything else

    def get(self, path: str, **query: object) -> JSON:
        """Fetch what is at a path of docs/wire.md."""
        return self._json("GET", path, params={k: str(v) for k, v in query.items()})

    def post(self, path: str, body: JSON | None = None) -> JSON:
        """Ask for something to be done."""
        return self._json("POST", path, body or {})

    def put(self, path: str, body: JSON) -> JSON:
        """Store something under its own name."""
        return self._json("PUT", path, body)

    def patch(self, path: str, body: JSON) -> JSON:
        """Change a part."""
        return self._json("PATCH", path, body)

    def delete(self, path: str) -> JSON:
        """Take something away."""
        return self._json("DELETE", path)

    def user_keys(self, user: uuid.UUID, *, after_version: int = 0) -> JSON:
        """A person's account key, device lists above a version, and newest prekeys."""
        return self.get(f"/api/users/{user}/keys", after_version=after_version)

    def _json(
        self,
        method: str,
        path: str,
        body: JSON | None = None,
        *,
        params: dict[str, str] | None = None,
    ) -> JSON:
        answer = self._send(method, path, body, params)
        if answer.is_success:
            return cast(JSON, answer.json()) if answer.content else {}
        raise _refusal(answer)

    def _send(
        self,
        method: str,
        path: str,
        body: JSON | None = None,
        params: dict[str, str] | None = None,
    ) -> httpx.Response:
        headers = {"X-Session-Token": self.token} if self.token else {}
        try:
            answer = self._http.request(method, path, json=body, params=params, headers=headers)
        except httpx.TimeoutException as error:
            raise TimedOut("server_timeout") from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unreachable from error
        if _is_of_a_proxy(answer):
            raise Unreachable
        return answer


def _is_of_a_proxy(answer: httpx.Response) -> bool:
    """Whether a proxy says that no server answers; the server's own refusals are JSON."""
    is_json = answer.headers.get("Content-Type", "").partition(";")[0].endswith("json")
    return answer.status_code in {502, 503, 504} and not is_json


def _refusal(answer: httpx.Response) -> Refused:
    problem = _object(answer)
    code = problem.pop("code", f"http_{answer.status_code}")
    return Refused(str(code), status=answer.status_code, **problem_details(problem))


def problem_details(problem: JSON) -> JSON:
    """What a problem answer says beyond its code."""
    return {k: v for k, v in problem.items() if k not in {"type", "title", "status"}}


def _auth_refusal(answer: httpx.Response) -> Refused:
    if answer.status_code == 401:
        flows = _object(answer).get("data", {}).get("flows", [])
        pending = [flow["id"] for flow in flows if flow.get("is_pending")]
        if "verify_email" in pending:
            return Refused("verification_required", status=401)
        return Refused("not_signed_in", status=401)
    errors = _object(answer).get("errors", [])
    codes = [str(error.get("code", "")) for error in errors]
    fields = {str(e.get("param", "")): [str(e.get("message", ""))] for e in errors}
    if answer.status_code == 429:
        return Refused("rate_limited", status=429)
    if answer.is_server_error:
        return Refused(f"http_{answer.status_code}", status=answer.status_code)
    known = {"email_password_mismatch": "sign_in", "email_taken": "email_taken"}
    code = next((known[code] for code in codes if code in known), "invalid")
    return Refused(code, status=answer.status_code, fields=fields)


def _object(answer: httpx.Response) -> JSON:
    try:
        parsed = answer.json()
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
