"""Starting an account again, as a client does it: a new account key, announced and then used."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from accounts.models import AccountKey, Reset
from accounts.protocol import to_base64url
from accounts.resets import WAIT
from accounts.services import now_ms
from crypto_client.account_statements import make_veto
from crypto_client.identity import DeviceKeys
from crypto_client.succession import SignedReset, make_reset
from tests.cast import PASSWORD, Keys, Person, make_keys

PATH = "/api/me/reset"
VETO, COMPLETE = f"{PATH}/veto", f"{PATH}/complete"


@dataclass(frozen=True)
class NewStart:
    """New keys of one of the cast, and the reset that announces them."""

    keys: Keys
    reset: SignedReset

    def announcement(self, password: str = PASSWORD) -> dict[str, str]:
        """The body of ``POST /api/me/reset``."""
        return {
            "password": password,
            "reset": to_base64url(self.reset.data),
            "reset_sig": to_base64url(self.reset.sig),
        }


@dataclass
class Renewed(Person):
    """One of the cast after starting again: the same person and session, other keys."""

    new_keys: Keys = field(kw_only=True)

    @property
    def keys(self) -> Keys:
        return self.new_keys


def new_start(person: Person, amk_old: bytes | None = None) -> NewStart:
    """Make new keys for a person; the old account key is the one of the cast unless named."""
    keys = make_keys(person.id)
    old = amk_old or person.keys.account.public
    return NewStart(keys, make_reset(keys.account, old, time=now_ms()))


def veto_by(device: DeviceKeys, reset: SignedReset) -> dict[str, str]:
    """The body of ``POST /api/me/reset/veto``."""
    return {"veto": to_base64url(make_veto(device, reset.reset_id).encode())}


def let_pass(time: timedelta = WAIT) -> None:
    """Let every announcement be so much older."""
    for row in Reset.objects.all():
        row.announced_at -= time
        row.due_at -= time
        row.save(update_fields=["announced_at", "due_at"])


def start_again(person: Person) -> NewStart:
    """Announce, wait and complete; the person's client then has a session and no proved device."""
    started = new_start(person)
    assert person.post(PATH, started.announcement()).status_code == 201
    let_pass()
    answer: Any = person.post(COMPLETE, started.keys.enrolment())
    assert answer.status_code == 201, answer.content
    return started


def state_of(person: Person) -> str | None:
    """What a person is told of the reset of their account that waits."""
    waiting = person.get(PATH).json()["reset"]
    return str(waiting["state"]) if waiting else None


def key_of(person: Person) -> bytes:
    """A person's present account key, as the server has it."""
    return bytes(AccountKey.objects.get(user=person.user).amk_pub)
