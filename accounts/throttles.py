"""The limits of docs/wire.md, counted in Django's cache."""

import logging
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts import metrics
from accounts.access import device_in_session
from accounts.models import User
from accounts.tally import take_place

log = logging.getLogger("gamrae.limits")

EVERYTHING = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


class PersonThrottle(SimpleRateThrottle):
    """A limit for each signed-in person and scope; the answer is ``rate_limited``.

    For what a person could do to others. Only the methods in ``methods`` count.
    """

    methods = EVERYTHING
    num_requests: int  # and the seconds for which they count, both from ``rate``
    duration: int
    _wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.method not in self.methods or not isinstance(request.user, User):
            return True
        for name, places in self.counted_in(request, request.user):
            key = f"limit:{self.scope}:{name}"
            self._wait = take_place(self.cache, key, places, self.duration)
            if self._wait is not None:
                metrics.RATE_LIMITED.labels(self.scope).inc()
                log.info("code=rate_limited scope=%s user=%s", self.scope, request.user.pk)
                return False
        return True

    def counted_in(self, request: Request, person: User) -> Iterator[tuple[str, int]]:
        """Names of what the request is counted in, each with how many it has room for."""
        yield f"person:{person.pk}", self.num_requests

    def wait(self) -> float | None:
        return self._wait


class OwnerThrottle(PersonThrottle):
    """A limit for what an owner needs to get at the own account, which no thief uses up.

    Each session has a limit of its own, and so have together: the sessions that proved one device,
    and all that proved none. These begin anew with a new password, which ends the thief's.
    """

    sessions = 4  # so many may use up all of their limits at the same time

    def counted_in(self, request: Request, person: User) -> Iterator[tuple[str, int]]:
        session = request.session
        yield f"session:{session.session_key}", self.num_requests
        device = device_in_session(session)
        generation = person.get_session_auth_hash()[:16]
        together = f"device:{device}" if device else f"person:{person.pk}:{generation}"
        yield together, self.num_requests * self.sessions


class RecoveryThrottle(OwnerThrottle):
    """A sealed blob is the start of a guess; nobody needs it often."""

    scope, rate, methods = "recovery", "5/hour", frozenset({"GET"})


class RenewalThrottle(PersonThrottle):
    """Each new recovery key is a new device list, too, and stays in the way back to the first."""

    scope, rate, methods = "renewal", "5/hour", frozenset({"POST"})


class PasskeyDownloadThrottle(OwnerThrottle):
    """As for the recovery blob: nobody needs it often."""

    scope, rate, methods = "passkey-download", "5/hour", frozenset({"GET"})


class PasskeyChangeThrottle(OwnerThrottle):
    """Passkeys kept and removed; a person has a handful."""

    scope, rate, methods = "passkey", "30/hour", frozenset({"PUT", "DELETE"})


class PasskeysThrottle(OwnerThrottle):
    """The settings ask each time they are shown."""

    scope, rate = "passkeys", "240/hour"


class BackupKeyThrottle(OwnerThrottle):
    """Each device asks once after a renewal."""

    scope, rate = "backup-key", "60/hour"


class ProofThrottle(OwnerThrottle):
    """Challenges and proofs; a client needs one pair for each connection."""

    scope = "proof"

    def get_rate(self) -> str:
        return f"{settings.LIMIT_PROOFS_PER_MINUTE}/minute"


class PrekeyThrottle(PersonThrottle):
    """A device needs one prekey a week; every published one is kept."""

    scope, rate = "prekey", "30/hour"


class ManyKeysThrottle(OwnerThrottle):
    """Each asks the database about a hundred people; a commit in the largest group needs two."""

    scope = "many-keys"
    rate = "1200/hour"


class ResetThrottle(OwnerThrottle):
    """Each one calls its owner to their devices, and is a guess at the password."""

    scope, rate, methods = "reset", "5/day", frozenset({"POST"})


class ResetEndThrottle(OwnerThrottle):
    """Vetoes, withdrawals and completions; nobody needs many."""

    scope, rate, methods = "reset-end", "30/hour", frozenset({"POST", "DELETE"})


class DeviceListThrottle(OwnerThrottle):
    """Lists that are sent; those that are kept have a limit of their own, see `rates`."""

    scope, rate = "device-list", "20/hour"


class LinkThrottle(OwnerThrottle):
    """Boxes to link a device through: opened, taken and answered."""

    scope, rate, methods = "link", "60/hour", frozenset({"POST", "PUT"})


class LinkPollThrottle(OwnerThrottle):
    """A new device asks every two seconds whether it was answered."""

    scope, rate, methods = "link-poll", "90/minute", frozenset({"GET"})


class KeyLogThrottle(OwnerThrottle):
    """A newcomer follows the whole log once, a thousand leaves at a time."""

    scope, rate = "key-log", "300/minute"


class ProfileThrottle(PersonThrottle):
    """Each change is told to all friends."""

    scope, rate, methods = "profile", "120/hour", frozenset({"PATCH"})
