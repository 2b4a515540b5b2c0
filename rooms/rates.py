"""How often a member may renew a room's secret without a reason that others can see."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refused
from rooms.chain import Step
from rooms.models import EpochCommit
from rooms.roster import Seen, parse_ops

ROTATIONS_A_DAY = 20
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def demand_rate(step: Step, actor: User) -> None:
    """One plain rotation a minute and twenty a day for a member of a room who is no admin.

    Else one member could win every race and so stop the admin's commits, their own removal among
    them. ``rate_limited`` otherwise.
    """
    if step.head is None or step.is_by_admin or not step.is_plain_rotation:
        return
    now = timezone.now()
    recent = EpochCommit.objects.filter(
        room=step.head.room_id, committer=actor, created_at__gt=now - DAY
    ).values_list("created_at", "ops")
    times = [made for made, ops in recent if _is_plain(bytes(ops))]
    if len(times) >= ROTATIONS_A_DAY:
        raise _limited(min(times) + DAY - now)
    if times and max(times) > now - MINUTE:
        raise _limited(max(times) + MINUTE - now)


def _is_plain(ops: bytes) -> bool:
    return all(isinstance(op, Seen) for op in parse_ops(ops))


def _limited(wait: timedelta) -> Refused:
    return Refused("rate_limited", retry_after_ms=max(1, int(wait.total_seconds() * 1000)))
