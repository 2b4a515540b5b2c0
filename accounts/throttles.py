"""The limits of docs/wire.md for one person, counted in Django's cache."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class PersonThrottle(SimpleRateThrottle):
    """A limit for each signed-in person and scope; the answer is ``rate_limited``.

    Only the methods in ``methods`` count.
    """

    methods = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.method not in self.methods or request.user is None:
            return None
        return f"throttle:{self.scope}:{request.user.pk}"


class RecoveryThrottle(PersonThrottle):
    """A sealed blob is the start of a guess; nobody needs it often."""

    scope = "recovery"
    rate = "5/hour"
    methods = frozenset({"GET"})


class RenewalThrottle(PersonThrottle):
    """Each new recovery key is a new device list, too, and stays in the way back to the first."""

    scope = "renewal"
    rate = "5/hour"
    methods = frozenset({"POST"})


class PasskeyDownloadThrottle(PersonThrottle):
    """As for the recovery blob: nobody needs it often."""

    scope = "passkey-download"
    rate = "5/hour"
    methods = frozenset({"GET"})


class PasskeyChangeThrottle(PersonThrottle):
    """Passkeys kept and removed; a person has a handful."""

    scope = "passkey"
    rate = "30/hour"
    methods = frozenset({"PUT", "DELETE"})


class PasskeysThrottle(PersonThrottle):
    """The settings ask each time they are shown."""

    scope = "passkeys"
    rate = "240/hour"


class BackupKeyThrottle(PersonThrottle):
    """Each device asks once after a renewal."""

    scope = "backup-key"
    rate = "60/hour"


class ProofThrottle(PersonThrottle):
    """Challenges and proofs; a client needs one pair for each connection."""

    scope = "proof"

    def get_rate(self) -> str:
        return f"{settings.LIMIT_PROOFS_PER_MINUTE}/minute"


class PrekeyThrottle(PersonThrottle):
    """A device needs one prekey a week; every published one is kept."""

    scope = "prekey"
    rate = "30/hour"


class ResetThrottle(PersonThrottle):
    """Each one calls its owner to their devices, and is a guess at the password."""

    scope = "reset"
    rate = "5/day"
    methods = frozenset({"POST"})


class ResetEndThrottle(PersonThrottle):
    """Vetoes, withdrawals and completions; nobody needs many."""

    scope = "reset-end"
    rate = "30/hour"
    methods = frozenset({"POST", "DELETE"})


class DeviceListThrottle(PersonThrottle):
    """Each list makes every room of its owner commit."""

    scope = "device-list"
    rate = "20/hour"


class LinkThrottle(PersonThrottle):
    """Boxes to link a device through: opened, taken and answered."""

    scope = "link"
    rate = "60/hour"
    methods = frozenset({"POST", "PUT"})


class LinkPollThrottle(PersonThrottle):
    """A new device asks every two seconds whether it was answered."""

    scope = "link-poll"
    rate = "90/minute"
    methods = frozenset({"GET"})


class ProfileThrottle(PersonThrottle):
    """Each change is told to all friends."""

    scope = "profile"
    rate = "120/hour"
    methods = frozenset({"PATCH"})
