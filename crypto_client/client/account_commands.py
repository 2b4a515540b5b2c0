"""Commands about oneself and one's friends."""

import argparse
import uuid

from crypto_client.client.enrolment import enrol
from crypto_client.client.failures import Refused, Usage
from crypto_client.client.keys import Keyring
from crypto_client.client.notes import Notes
from crypto_client.client.offers import look_again
from crypto_client.client.output import Output, Row
from crypto_client.client.server import JSON, unb64
from crypto_client.client.session import Session
from crypto_client.client.verify_command import trust_in
from crypto_client.safety import fingerprint


def sign_up(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Make an account, its keys and this device."""
    password = password_of(arguments)
    session.server.sign_up(email=arguments.email, nickname=arguments.name, password=password)
    _settle_in(session, output)


def sign_in(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Sign this device in again, or give a fresh account its keys."""
    session.server.sign_in(email=arguments.email, password=password_of(arguments))
    _settle_in(session, output)


def _settle_in(session: Session, output: Output) -> None:
    me = session.server.get("/api/me")
    user = uuid.UUID(me["user_id"])
    _refuse_a_strangers_home(session, user)
    session.remember_sign_in()
    if me["account_key"] is None or session.store.fact("enrolment"):
        enrol(session.server, session.store, user)
    keyring = Keyring.load(session.store, session.server)
    keyring.prove_session()
    session.remember_sign_in()
    output.row(
        {"user_id": str(user), "device_id": str(keyring.device_id), "email": me["email"]},
        lambda row: f"{row['email']}: signed in as device {row['device_id']}",
    )


def _refuse_a_strangers_home(session: Session, user: uuid.UUID) -> None:
    kept = session.store.fact("device")
    if kept is not None and unb64(kept["user"]) != user.bytes:
        raise Usage("home_of_another_account")


def password_of(arguments: argparse.Namespace) -> str:
    """The password of the command line, or of the file that it names."""
    if arguments.password is not None:
        return str(arguments.password)
    try:
        text: str = arguments.password_file.read_text()
    except OSError as error:
        raise Usage("password_file") from error
    return text.rstrip("\n")


def sign_out(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """End the session; the keys stay in the home."""
    session.server.sign_out()
    session.remember_sign_in()
    output.row({"signed_out": True}, lambda row: "signed out")


def who_am_i(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Show this account and this device."""
    _show_me(session, output, session.server.get("/api/me"))


def profile(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Change the nickname or the status message."""
    wanted = {"nickname": arguments.name, "status_message": arguments.status}
    changes: JSON = {name: value for name, value in wanted.items() if value is not None}
    if not changes:
        raise Usage("nothing_to_change")
    _show_me(session, output, session.server.patch("/api/me", changes))


def _show_me(session: Session, output: Output, me: JSON) -> None:
    device = session.keyring.device
    row: Row = {name: me[name] for name in ("user_id", "email", "nickname", "status_message")}
    row["device_id"] = str(uuid.UUID(bytes=device.device))
    row["fingerprint"] = fingerprint(device.user, device.amk_pub)
    output.row(row)


def change_password(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Change the sign-in password; keys do not depend on it."""
    session.server.change_password(old=arguments.old, new=arguments.new)
    session.remember_sign_in()
    output.row({"changed": True}, lambda row: "password changed")


def friend_add(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Ask somebody to be friends; the answer never tells whether the address exists."""
    answer = session.server.post("/api/friend-requests", {"email": arguments.who})
    output.row({"status": answer["status"]}, lambda row: "sent")


def friend_accept(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Accept a request."""
    request = _received(session, arguments.who)
    friend = session.server.post(f"/api/friend-requests/{request['friend_request_id']}/accept")
    output.row({name: friend[name] for name in ("user_id", "email", "nickname")})


def friend_decline(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Decline a request; its sender is not told."""
    request = _received(session, arguments.who)
    session.server.post(f"/api/friend-requests/{request['friend_request_id']}/decline")
    output.row({"declined": True}, lambda row: "declined")


def friend_remove(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """End a friendship; rooms stay as they are."""
    friend = _friend(session, arguments.who)
    session.server.delete(f"/api/friends/{friend['user_id']}")
    output.row({"removed": True}, lambda row: "removed")


def friend_list(session: Session, output: Output, arguments: argparse.Namespace) -> None:
    """Friends, and requests in both directions."""
    known = session.server.get("/api/friends")
    keyring = session.messenger.rooms.keyring  # with what other own devices have compared
    look_again(keyring, Notes(session.store, keyring.device.user).verified_users())
    shown = ("user_id", "email", "nickname", "status_message")
    for state, group in (("friend", "friends"), ("received", "received"), ("sent", "sent")):
        for item in known[group]:
            row: Row = {"state": state}
            row.update({name: item[name] for name in shown if name in item})
            if state == "friend":
                row["trust"] = trust_in(keyring, uuid.UUID(item["user_id"]).bytes)
            output.row(row)


def _friend(session: Session, email: str) -> JSON:
    return _by_email(session.server.get("/api/friends")["friends"], email)


def _received(session: Session, email: str) -> JSON:
    return _by_email(session.server.get("/api/friends")["received"], email)


def _by_email(items: list[JSON], email: str) -> JSON:
    for item in items:
        if item["email"].lower() == email.lower():
            return item
    raise Refused("not_found")
