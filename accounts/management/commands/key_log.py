"""``manage.py key_log verify | restart``: the operator's side of the key log."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import key_log
from accounts.key_log_check import check_key_log
from accounts.refusals import Refused

KEY_GONE = (
    "The key that signed this log is gone: SECRET_KEY is another one. Put the former key into"
    " SECRET_KEY_FALLBACKS and run this again. Without it no client believes a new log; with"
    " --with-new-key one begins all the same, and everybody's client says that the server is"
    " another one."
)


class Command(BaseCommand):
    help = "Computes the key log again, or begins a new one after a backup was restored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="do", required=True)
        commands.add_parser("verify", help="compare all leaves and device lists")
        restart = commands.add_parser("restart", help="begin a new log, after a restore only")
        restart.add_argument(
            "--with-new-key", action="store_true", help="when the former secret key is lost"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["do"] == "verify":
            self.verify()
        else:
            self.restart(with_new_key=options["with_new_key"])

    def verify(self) -> None:
        checked = check_key_log()
        for trouble in checked.troubles:
            self.stdout.write(f"!!  {trouble}")
        found = f"{checked.logs} log(s), {checked.leaves} leaves, {checked.lists} device lists"
        if checked.troubles:
            raise CommandError(f"{found}: {len(checked.troubles)} not as they should be")
        self.stdout.write(f"ok  {found}")

    def restart(self, *, with_new_key: bool) -> None:
        try:
            log = key_log.restart(with_new_key=with_new_key)
        except Refused:
            raise CommandError(KEY_GONE) from None
        self.stdout.write(f"ok  log {log.number} begins with {log.size} device lists")
