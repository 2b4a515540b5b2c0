"""The keys of many people in few requests: of a commit's newcomers, or of a whole room."""

import uuid
from collections.abc import Collection, Iterator, Sequence

from crypto_client.client.failures import Refused
from crypto_client.client.keys import Keyring, Said
from crypto_client.client.wire_commits import lists_named
from crypto_client.errors import PinMismatchError
from crypto_client.ops import Op
from crypto_client.prekeys import SignedPrekey

AT_ONCE = 100


def said_of(keyring: Keyring, users: Collection[bytes]) -> Iterator[tuple[bytes, Said | None]]:
    """Each of these people with what the server says of their keys beyond what is known here.

    None where it says nothing of somebody: who asks for them alone hears why.
    """
    everybody = list(users)
    for start in range(0, len(everybody), AT_ONCE):
        part = everybody[start : start + AT_ONCE]
        answers = _ask(keyring, part) if len(part) > 1 else {}
        yield from ((user, answers.get(user)) for user in part)


def _ask(keyring: Keyring, users: Collection[bytes]) -> dict[bytes, Said]:
    newest = {user: keyring.newest(user) for user in users}
    after = {user: known.version if known else 0 for user, known in newest.items()}
    wanted = [
        {"user_id": str(uuid.UUID(bytes=user)), "after_version": version}
        for user, version in after.items()
    ]
    try:
        answers = keyring.server.post("/api/users/keys", {"users": wanted})["users"]
    except Refused as refusal:
        # A server of an earlier release answers for one at a time only, and nobody has to wait.
        if refusal.code not in {"not_found", "rate_limited"}:
            raise
        return {}
    said = {uuid.UUID(keys["user_id"]).bytes: keys for keys in answers}
    return {user: Said(after[user], keys) for user, keys in said.items() if user in after}


def refresh_known(
    keyring: Keyring, user: bytes, said: Said | None = None
) -> dict[bytes, SignedPrekey]:
    """Refresh somebody who is in the chain already: a changed key is judged there, by pins.

    The person gets no wrap, and nobody else's chain stops.
    """
    try:
        return keyring.refresh(user, said)
    except PinMismatchError:
        return {}


def fetch_lists(keyring: Keyring, ops: Sequence[Op]) -> None:
    """Fetch the device lists that a commit's operations name and that are not at hand."""
    lists = keyring.lists()
    named = lists_named(ops).items()
    missing = [user for user, list_hash in named if list_hash not in lists]
    for user, said in said_of(keyring, missing):
        refresh_known(keyring, user, said)
