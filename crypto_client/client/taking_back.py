"""Messages that somebody does not want to be sent any more (docs/protocol.md §8.6, taken back).

A sealing is in doubt until the server, asked once with these bytes, has refused them: what may be
stored is given up and keeps its keys, and only what nobody can have got goes without a trace.
"""

from crypto_client.client.failures import Ended, Refused
from crypto_client.client.store import Store

# After these it is not known what became of the bytes that left.
NO_ANSWER = {"busy", "unavailable"}


def is_answer(refusal: Refused) -> bool:
    """Whether the server has looked at the bytes that left, and will never store them."""
    return not isinstance(refusal, Ended) and refusal.code not in NO_ANSWER


def may_be_stored(store: Store, message: bytes) -> bool:
    """Whether some sealing of a message may be in the log now, or one day."""
    sql = (
        "SELECT 1 FROM attempts a LEFT JOIN refused_attempts r USING (message, epoch, n)"
        " WHERE a.message = ? AND r.message IS NULL LIMIT 1"
    )
    return store.row(sql, message) is not None


def note_refusal(store: Store, message: bytes, epoch: int, n: int) -> None:
    """The server has refused a sealing that left once."""
    store.run("INSERT OR IGNORE INTO refused_attempts VALUES (?, ?, ?)", message, epoch, n)


def leaves_again(store: Store, message: bytes, epoch: int, n: int) -> bool:
    """A kept sealing goes out; returns whether it had been refused, and is asked about anew."""
    sql = "DELETE FROM refused_attempts WHERE message = ? AND epoch = ? AND n = ?"
    return store.run(sql, message, epoch, n) > 0


def delete(store: Store, message: bytes) -> None:
    """Send a message no more; ``forbidden`` when the server has it, ``not_found`` without one.

    The used counters of what nobody can have got are declared void by the next message.
    """
    row = store.row("SELECT room, state FROM outbox WHERE message = ?", message)
    if row is None or is_given_up(store, message):
        raise Refused("not_found")
    if row["state"] == "accepted":
        raise Refused("forbidden")
    with store.transaction():
        # Counters that it called void are told again, by another message.
        store.run("UPDATE voids SET told_in = NULL WHERE told_in = ?", message)
        if may_be_stored(store, message):
            store.run("INSERT INTO given_up VALUES (?)", message)
            store.run("UPDATE outbox SET state = 'failed', text = '' WHERE message = ?", message)
            return
        sql = (
            "INSERT OR IGNORE INTO voids (room, epoch, n)"
            " SELECT ?, epoch, n FROM attempts WHERE message = ?"
        )
        store.run(sql, row["room"], message)
        forget(store, message)


def is_given_up(store: Store, message: bytes) -> bool:
    """Whether somebody wants this message sent no more."""
    return store.row("SELECT 1 FROM given_up WHERE message = ?", message) is not None


def forget(store: Store, message: bytes) -> None:
    """A message waits no more: nothing of it stays in the line."""
    with store.transaction():
        for table in ("attempts", "refused_attempts", "waiting_notes", "given_up", "outbox"):
            store.run(f"DELETE FROM {table} WHERE message = ?", message)  # noqa: S608 (fixed names)
