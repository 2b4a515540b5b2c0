"""Who sits in the rooms of a benchmark, and what they seal. No Django: a load generator uses it."""

import os
import time
from dataclasses import dataclass
from uuid import UUID

from crypto_client.body import text_body
from crypto_client.encoding import encode_base64url
from crypto_client.envelope import seal_message
from crypto_client.identity import DeviceKeys
from crypto_client.ratchet import EpochState

TEXT = text_body("x" * 200)


@dataclass(frozen=True, slots=True)
class Person:
    """One person with one device, signed in."""

    user_id: UUID
    device: DeviceKeys
    token: str


@dataclass(slots=True)
class Garden:
    """A room, and the epoch in which everybody in it seals."""

    room_id: UUID
    people: list[Person]
    epoch: EpochState

    def seal(self, person: Person) -> str:
        """A new envelope of 200 bytes of text, as it travels in JSON."""
        now = time.time_ns() // 1_000_000
        sealed = seal_message(self.epoch, person.device, TEXT, msg_id=os.urandom(16), time=now)
        self.epoch = sealed.epoch
        return encode_base64url(sealed.envelope)
