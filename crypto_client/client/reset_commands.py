"""Commands for starting an account again without its recovery secret (docs/protocol.md §3.6)."""

import argparse
import uuid

from crypto_client.account_statements import make_veto
from crypto_client.client.account_commands import password_of
from crypto_client.client.enrolment import NewAccount, new_keys
from crypto_client.client.failures import Refused, Usage
from crypto_client.client.keys import Keyring, now_ms
from crypto_client.client.output import Output, Row
from crypto_client.client.server import JSON, b64, unb64
from crypto_client.client.session import Session
from crypto_client.succession import SignedReset, make_reset, verify_reset

STARTING = "starting_again"
PATH = "/api/me/reset"


def begin(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Announce that this account goes on under new keys, made in this home."""
    me = _me(session)
    if session.store.fact("device") is not None:
        raise Usage("home_has_keys")
    if me["account_key"] is None:
        raise Refused("keys_missing")
    waiting = session.server.get(PATH)["reset"]
    if waiting is None or not _is_begun_here(session, waiting):
        # The reset of an earlier attempt is never announced again: a veto of it may be about.
        body = {"password": password_of(arguments), **_make(session, me)["announced"]}
        waiting = session.server.post(PATH, body)["reset"]
    _show(session, output, waiting)


def _make(session: Session, me: JSON) -> JSON:
    """New keys, in the home before the server hears of them: a lost answer cannot lose them."""
    new, account = new_keys(uuid.UUID(me["user_id"]))
    reset = make_reset(account, unb64(me["account_key"]), time=now_ms())
    made: JSON = {
        "reset_id": b64(reset.reset_id),
        "announced": {"reset": b64(reset.data), "reset_sig": b64(reset.sig)},
        **new.to_json(),
    }
    session.store.remember(STARTING, made)
    return made


def status(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Say whether a reset waits, until when, and whether this home began it."""
    _me(session)
    _show(session, output, session.server.get(PATH)["reset"])


def finish(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Put the new account key in the place of the old one, once the wait is over."""
    me = _me(session)
    starting = session.store.fact(STARTING)
    if starting is None or unb64(starting["device"]["user"]) != uuid.UUID(me["user_id"]).bytes:
        raise Usage("not_begun_here")
    _complete(session, starting)
    new = NewAccount.from_json(starting)
    with session.store.transaction():
        new.keep(session.store)
        session.store.remember("device", new.device)
        session.store.remember(STARTING, None)
    keyring = Keyring.load(session.store, session.server)
    keyring.prove_session()
    output.row(
        {"user_id": str(keyring.user_id), "device_id": str(keyring.device_id)},
        lambda row: f"started again as device {row['device_id']}",
    )


def _complete(session: Session, starting: JSON) -> None:
    published = starting["published"]
    try:
        session.server.post(f"{PATH}/complete", published)
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
        # It was completed and the answer lost; else it was stopped, or has lapsed.
        if session.server.get("/api/me")["account_key"] != published["account_key"]:
            session.store.remember(STARTING, None)
            raise


def veto(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Stop the waiting reset: by this device's word, or from the home that began it."""
    _me(session)
    waiting = session.server.get(PATH)["reset"]
    if waiting is None:
        raise Refused("not_found")
    if session.store.fact("device") is None:
        session.server.delete(PATH)
        session.store.remember(STARTING, None)
    else:
        _object(session, SignedReset(unb64(waiting["reset"]), unb64(waiting["reset_sig"])))
    output.row({"stopped": waiting["reset_id"]}, lambda row: "stopped")


def _object(session: Session, reset: SignedReset) -> None:
    device = session.keyring.device
    verify_reset(reset, device.user, device.amk_pub)
    said = make_veto(device, reset.reset_id)
    session.server.post(f"{PATH}/veto", {"veto": b64(said.encode())})


def _me(session: Session) -> JSON:
    if session.server.token is None:
        raise Refused("not_signed_in")
    return session.server.get("/api/me")


def _show(session: Session, output: Output, waiting: JSON | None) -> None:
    if waiting is None:
        output.row({"state": "none"}, lambda row: "nothing waits")
        return
    row: Row = {name: waiting[name] for name in ("reset_id", "state", "announced_ms", "due_ms")}
    row["begun_here"] = _is_begun_here(session, waiting)
    output.row(row)


def _is_begun_here(session: Session, waiting: JSON) -> bool:
    starting = session.store.fact(STARTING)
    return starting is not None and bool(starting["reset_id"] == waiting["reset_id"])
