"""``manage.py verify_all [--json]``: is every room's log whole?"""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging import services
from messaging.management.commands.verify_room import as_line, verdict_on

WORD_EVERY_SECONDS = 5


class Command(BaseCommand):
    """Names the rooms that are not whole, and says how many were looked at."""

    help = "Look for holes, doubles, damaged rows and lost commits in the log of every room."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object for each room")

    def handle(self, *args: Any, **options: Any) -> None:
        looked_at = broken = 0
        spoke_at = time.monotonic()
        for room_id in services.rooms_to_verify():
            verdict = verdict_on(room_id)
            looked_at, broken = looked_at + 1, broken + (not verdict.is_whole)
            if options["json"] or not verdict.is_whole:
                self.stdout.write(as_line(verdict, as_json=options["json"]))
            if time.monotonic() - spoke_at > WORD_EVERY_SECONDS:
                spoke_at = time.monotonic()
                self.stderr.write(f"Gamrae: {looked_at} rooms so far")
        if not options["json"]:
            self.stdout.write(f"Gamrae: {looked_at} rooms, {looked_at - broken} of them whole")
        if broken:
            raise CommandError(f"the logs of {broken} rooms are not whole")
