"""``manage.py parked``: what no archiver could read, for an operator to replay or drop."""

import asyncio
import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.refusals import Refused
from messaging.broker.amqp import Lost, Topology
from messaging.broker.bodies import Undecodable
from messaging.broker.parking import Parked, Parking, parking


class Command(BaseCommand):
    """Says of a message why it is here, whence it came and how large it is; never what is in it."""

    help = "List, replay or drop messages that no archiver could read (cluster profile)."
    requires_system_checks = ()
    topology = Topology()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("list", "replay", "drop"))
        parser.add_argument("ids", nargs="*", metavar="ID", help="as `parked list` shows them")
        parser.add_argument("--all", action="store_true", help="every message, instead of IDs")
        parser.add_argument("--json", action="store_true", help="one object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.SOLO:
            raise CommandError("GAMRAE_PROFILE is solo: there nothing is parked.")
        act, ids = options["act"], set(options["ids"])
        if act != "list" and bool(ids) == options["all"]:
            raise CommandError(f"parked {act}: name the IDs, or --all.")
        try:
            asyncio.run(self.act(act, ids, options["json"]))
        except Lost as lost:
            raise CommandError(f"BROKER_URL: RabbitMQ does not answer ({lost}).") from lost

    async def act(self, act: str, ids: set[str], as_json: bool) -> None:
        """Do it to the chosen ones, or to all; say what became of each."""
        async with parking(settings.BROKER_URL, settings.BROKER_CA, self.topology) as opened:
            chosen = [each for each in opened.messages if not ids or each.id in ids]
            if unknown := ids - {each.id for each in chosen}:
                raise CommandError(f"not parked: {', '.join(sorted(unknown))}")
            became = {each: await self.become(opened, act, each) for each in chosen}
        for each, state in became.items():
            self.say(each, state, as_json)
        if stuck := sum(act == "replay" and state != "replayed" for state in became.values()):
            raise CommandError(f"{stuck} of {len(chosen)} stay parked.")

    @staticmethod
    async def become(opened: Parking, act: str, message: Parked) -> str:
        """Act on one; a replay that fails leaves it where it is."""
        if act == "list":
            return "parked"
        if act == "drop":
            opened.drop(message)
            return "dropped"
        try:
            await opened.replay(message)
        except Undecodable as trouble:
            return f"unreadable ({trouble})"
        except Refused as refused:
            return refused.code
        return "replayed"

    def say(self, message: Parked, state: str, as_json: bool) -> None:
        """One line."""
        row = {
            "id": message.id,
            "state": state,
            "reason": message.reason,
            "queue": message.queue,
            "bytes": message.size,
        }
        self.stdout.write(json.dumps(row) if as_json else "  ".join(map(str, row.values())))
