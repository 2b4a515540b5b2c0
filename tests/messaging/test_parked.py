"""``manage.py parked`` where there is no queue to park in."""

import pytest
from django.core.management import CommandError, call_command


def test_in_solo_nothing_is_parked():
    with pytest.raises(CommandError, match="GAMRAE_PROFILE is solo"):
        call_command("parked", "list")
