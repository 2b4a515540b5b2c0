"""Every code with which the server refuses, and its HTTP status. Equal to docs/wire.md, section 2.

The lowest layer: all apps raise `Refused`, so that REST and the socket cannot disagree.
"""

from typing import Any

# code: (HTTP status, or None where only the socket can answer it; worth trying again as it is)
REFUSALS: dict[str, tuple[int | None, bool]] = {
    "invalid": (400, False),
    "not_signed_in": (401, False),
    "suspended": (403, False),
    "forbidden": (403, False),
    "history_off": (409, False),
    "device_required": (403, False),
    "device_proof": (403, False),
    "not_found": (404, False),
    "method_not_allowed": (405, False),
    "keys_exist": (409, False),
    "keys_missing": (409, False),
    "password": (403, False),
    "reset_exists": (409, False),
    "reset_waiting": (409, False),
    "list_version": (409, False),
    "link_busy": (409, False),
    "passkeys_full": (409, False),
    "prekey": (400, False),
    "room_exists": (409, False),
    "not_friends": (403, False),
    "stale_head": (409, False),
    "commit_pending": (409, True),
    "commit_refused": (400, False),
    "last_admin": (409, False),
    "stale_epoch": (409, False),
    "header_mismatch": (400, False),
    "envelope": (400, False),
    "id_reused": (409, False),
    "counter_reused": (None, False),
    "room_deleted": (410, False),
    "busy": (503, True),
    "unavailable": (503, True),
    "rate_limited": (429, True),
    "protocol": (None, False),
    "too_large": (413, False),
}


class Refused(Exception):
    """A refusal with its stable code; ``extra`` are members of the answer, such as ``room_id``.

    ``status`` is the code's own unless named. A code outside the table is a bug: `KeyError`.
    """

    def __init__(self, code: str, status: int | None = None, **extra: Any) -> None:
        own_status, self.retryable = REFUSALS[code]
        self.code = code
        self.status = status or own_status or 400
        self.extra = extra
        super().__init__(code)


class DeviceRequired(Refused):
    """The session has not proved a device that is still in the account's newest list."""

    def __init__(self) -> None:
        super().__init__("device_required")


class DeviceProof(Refused):
    """The proof does not verify, its nonce is used or too old, or the device is not listed."""

    def __init__(self) -> None:
        super().__init__("device_proof")
