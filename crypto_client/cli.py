"""The words of the command-line client (docs/cli.md). Parses, calls one command, reports."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from crypto_client.client import (
    account_commands,
    bring_back_command,
    link_commands,
    message_commands,
    outbox_commands,
    recovery_commands,
    renewal_command,
    reset_commands,
    room_commands,
    store_commands,
    verify_command,
)
from crypto_client.client.audit_command import audit, tell_of_a_new_log
from crypto_client.client.failures import CommandFailure, Unverified
from crypto_client.client.output import Output
from crypto_client.client.passphrase import Passphrase
from crypto_client.client.session import Session
from crypto_client.client.unlocking import Unlocking
from crypto_client.errors import ProtocolError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(words: list[str]) -> int:
    """Run one command; returns the exit status of docs/cli.md."""
    arguments = parser().parse_args(words)
    output = Output(as_json=arguments.json)
    try:
        unlock = Unlocking(Passphrase(arguments.passphrase_fd), plain=arguments.plain)
        with Session.open(arguments.home, arguments.server, arguments.timeout, unlock) as session:
            if session.store.store_key is None:
                output.note("this home is not sealed: store passphrase, or store keyring, seals it")
            try:
                arguments.run(session, output, arguments)
            finally:
                tell_of_a_new_log(session, output)
    except ProtocolError as error:
        return _report(output, Unverified(error.outcome))
    except CommandFailure as failure:
        return _report(output, failure)
    except KeyboardInterrupt:
        return 130
    return 0


def _report(output: Output, failure: CommandFailure) -> int:
    output.failure(failure.code, failure.details)
    return failure.exit_status


def parser() -> argparse.ArgumentParser:
    """All commands with their words."""
    top = argparse.ArgumentParser(prog="python -m crypto_client", description=__doc__)
    top.add_argument("--server", help="the address people use")
    top.add_argument("--home", type=Path, default=Path.home() / ".gamrae")
    top.add_argument("--passphrase-fd", type=int, metavar="N", help="where to read it from")
    top.add_argument("--plain", action="store_true", help="leave a new home unsealed")
    top.add_argument("--json", action="store_true", help="one JSON object a line")
    top.add_argument("--timeout", type=float, default=30.0, help="seconds to wait")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _account(commands)
    _friends(commands)
    _rooms(commands)
    _messages(commands)
    _recovery(commands)
    _store(commands)
    return top


def _account(commands: Commands) -> None:
    for name, run in (
        ("sign-up", account_commands.sign_up),
        ("sign-in", account_commands.sign_in),
    ):
        command = commands.add_parser(name)
        command.add_argument("email")
        if name == "sign-up":
            command.add_argument("--name", required=True)
        _password(command)
        command.set_defaults(run=run)
    commands.add_parser("sign-out").set_defaults(run=account_commands.sign_out)
    commands.add_parser("whoami").set_defaults(run=account_commands.who_am_i)
    profile = commands.add_parser("profile")
    profile.add_argument("--name")
    profile.add_argument("--status")
    profile.set_defaults(run=account_commands.profile)
    password = commands.add_parser("password")
    password.add_argument("--old", required=True)
    password.add_argument("--new", required=True)
    password.set_defaults(run=account_commands.change_password)
    verify = commands.add_parser("verify")
    verify.add_argument("who", metavar="WHO", help="a friend's e-mail, or a user id")
    verify.add_argument("--code", help="what the other screen shows, compared byte by byte")
    decision = verify.add_mutually_exclusive_group()
    decision.add_argument("--same", action="store_true", help="it was compared and is the same")
    decision.add_argument("--different", action="store_true", help="take a mark away")
    verify.set_defaults(run=verify_command.verify)
    commands.add_parser("audit").set_defaults(run=audit)
    account = commands.add_parser("account").add_subparsers(required=True, metavar="WHAT")
    _reset(account.add_parser("reset").add_subparsers(required=True, metavar="DO"))


def _password(command: argparse.ArgumentParser) -> None:
    secret = command.add_mutually_exclusive_group(required=True)
    secret.add_argument("--password")
    secret.add_argument("--password-file", type=Path)


def _reset(reset: Commands) -> None:
    begin = reset.add_parser("begin")
    _password(begin)
    begin.set_defaults(run=reset_commands.begin)
    reset.add_parser("status").set_defaults(run=reset_commands.status)
    reset.add_parser("finish").set_defaults(run=reset_commands.finish)
    reset.add_parser("veto").set_defaults(run=reset_commands.veto)


def _friends(commands: Commands) -> None:
    friend = commands.add_parser("friend").add_subparsers(required=True, metavar="DO")
    for name, run in (
        ("add", account_commands.friend_add),
        ("accept", account_commands.friend_accept),
        ("decline", account_commands.friend_decline),
        ("remove", account_commands.friend_remove),
    ):
        command = friend.add_parser(name)
        command.add_argument("who", metavar="EMAIL")
        command.set_defaults(run=run)
    friend.add_parser("list").set_defaults(run=account_commands.friend_list)


def _rooms(commands: Commands) -> None:
    room = commands.add_parser("room").add_subparsers(required=True, metavar="DO")
    direct = room.add_parser("direct")
    direct.add_argument("email")
    _history(direct)
    direct.set_defaults(run=room_commands.direct)
    group = room.add_parser("group")
    group.add_argument("title")
    group.add_argument("emails", nargs="+", metavar="EMAIL")
    _history(group)
    group.set_defaults(run=room_commands.group)
    for name, run in (("invite", room_commands.invite), ("remove", room_commands.remove)):
        command = room.add_parser(name)
        command.add_argument("room")
        command.add_argument("email")
        command.set_defaults(run=run)
    rename = room.add_parser("rename")
    rename.add_argument("room")
    rename.add_argument("title")
    rename.set_defaults(run=room_commands.rename)
    history = room.add_parser("history")
    history.add_argument("room")
    history.add_argument("policy", choices=["off"], help="there is no way back")
    history.set_defaults(run=room_commands.end_history)
    leave = room.add_parser("leave")
    leave.add_argument("room")
    leave.set_defaults(run=room_commands.leave)
    delete = room.add_parser("delete")
    delete.add_argument("room")
    delete.add_argument("--for-all", action="store_true")
    delete.set_defaults(run=room_commands.delete)
    room.add_parser("list").set_defaults(run=room_commands.list_rooms)


def _history(command: argparse.ArgumentParser) -> None:
    words = "whether a further device reads what was written before it"
    command.add_argument("--history", choices=["on", "off"], default="on", help=words)


def _messages(commands: Commands) -> None:
    send = commands.add_parser("send")
    send.add_argument("room")
    send.add_argument("text")
    send.add_argument("--wait", choices=["accepted", "stored"], default="accepted")
    send.set_defaults(run=message_commands.send)
    read = commands.add_parser("read")
    read.add_argument("room")
    read.add_argument("--last", type=int, default=50)
    read.set_defaults(run=message_commands.read)
    listen = commands.add_parser("listen")
    listen.add_argument("--count", type=int)
    listen.set_defaults(run=message_commands.listen)
    outbox = commands.add_parser("outbox").add_subparsers(required=True, metavar="DO")
    outbox.add_parser("list").set_defaults(run=outbox_commands.show)
    retry = outbox.add_parser("retry")
    retry.add_argument("message", nargs="?", help="an id or its beginning; without: all refused")
    retry.set_defaults(run=outbox_commands.retry)
    delete = outbox.add_parser("delete")
    delete.add_argument("message", help="an id or its beginning")
    delete.set_defaults(run=outbox_commands.remove)


def _recovery(commands: Commands) -> None:
    about = "The recovery secret. Passkeys are for browsers: here the words or the code do it."
    parser = commands.add_parser("recovery", description=about)
    recovery = parser.add_subparsers(required=True, metavar="DO")
    show = recovery.add_parser("set")
    show.add_argument("--written-down", action="store_true", help="do not ask; forget the secret")
    show.set_defaults(run=recovery_commands.set_recovery)
    restore = recovery.add_parser("restore")
    restore.add_argument("--secret-file", type=Path)
    restore.set_defaults(run=recovery_commands.restore)
    renew = recovery.add_parser("renew")
    renew.add_argument("--secret-file", type=Path, help="holds the present secret")
    renew.add_argument("--written-down", action="store_true", help="do not ask; renew")
    renew.add_argument("--discard", action="store_true", help="forget what was shown")
    renew.set_defaults(run=renewal_command.renew)
    back = recovery.add_parser("bring-back")
    back.add_argument("--secret-file", type=Path, help="holds the secret of before the start")
    back.set_defaults(run=bring_back_command.bring_back)
    link = commands.add_parser("link").add_subparsers(required=True, metavar="DO")
    link.add_parser("show").set_defaults(run=link_commands.show)
    accept = link.add_parser("accept")
    accept.add_argument("code", metavar="CODE", nargs="?")
    accept.add_argument("--compare", metavar="DIGITS", help="what the new device shows")
    accept.add_argument("--secret-file", type=Path)
    accept.set_defaults(run=link_commands.accept)
    devices = commands.add_parser("devices")
    devices.set_defaults(run=recovery_commands.list_devices)
    doing = devices.add_subparsers(metavar="DO")
    rename = doing.add_parser("rename")
    rename.add_argument("device")
    rename.add_argument("name")
    rename.set_defaults(run=recovery_commands.rename_device)
    revoke = doing.add_parser("revoke")
    revoke.add_argument("device")
    revoke.add_argument("--secret-file", type=Path)
    revoke.set_defaults(run=recovery_commands.revoke_device)


def _store(commands: Commands) -> None:
    store = commands.add_parser("store").add_subparsers(required=True, metavar="DO")
    store.add_parser("status").set_defaults(run=store_commands.status)
    passphrase = store.add_parser("passphrase")
    passphrase.add_argument("--new-file", type=Path, help="holds the new passphrase")
    passphrase.set_defaults(run=store_commands.set_passphrase)
    store.add_parser("keyring").set_defaults(run=store_commands.use_keyring)
