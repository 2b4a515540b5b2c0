"""``manage.py verify_room ROOM [--json]``: is this room's log whole?"""

import json
import uuid
from dataclasses import asdict
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.refusals import Refused
from messaging import services


class Command(BaseCommand):
    """Reads, changes nothing; while people write it may be run all the same."""

    help = "Look for holes, doubles, damaged rows and lost commits in the log of one room."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("room", type=uuid.UUID, help="the room's id")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verdict_on(options["room"])
        self.stdout.write(as_line(verdict, as_json=options["json"]))
        if not verdict.is_whole:
            raise CommandError("the log of this room is not whole")


def verdict_on(room_id: uuid.UUID) -> services.RoomVerdict:
    """Inspect a room; ends the command when the log does not answer."""
    try:
        return async_to_sync(services.verify_room)(room_id=room_id)
    except Refused as refused:
        raise CommandError(f"the log does not answer: {refused.code}") from refused


def as_line(verdict: services.RoomVerdict, *, as_json: bool) -> str:
    """One line about a room, for people or for programs."""
    if as_json:
        return json.dumps({**asdict(verdict), "whole": verdict.is_whole}, default=str)
    troubles = {
        "missing": verdict.missing,
        "doubled": verdict.doubled,
        "damaged": verdict.damaged,
        "lost commits": verdict.lost_commits,
    }
    said = "; ".join(f"{name}: {what}" for name, what in troubles.items() if what)
    mark = "ok" if verdict.is_whole else "!!"
    return f"{mark}  {verdict.room_id}  {verdict.rows} rows  {said}".rstrip()
