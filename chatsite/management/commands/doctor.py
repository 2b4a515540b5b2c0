"""manage.py doctor [--json]"""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatsite.doctor import examine


class Command(BaseCommand):
    help = (
        "Says what is used, in which version, and whether it answers; fails when a part does not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        for finding in findings:
            if options["json"]:
                self.stdout.write(json.dumps({**asdict(finding), "ok": finding.ok}))
            else:
                mark, said = ("ok", finding.version) if finding.ok else ("!!", finding.trouble)
                self.stdout.write(f"{mark}  {finding.part:<14} {finding.uses}: {said}")
        if not all(finding.ok for finding in findings):
            raise CommandError("a part does not answer; see the lines marked !!")
