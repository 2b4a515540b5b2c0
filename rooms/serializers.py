"""The JSON of chains, wraps and history records in docs/wire.md."""

from rest_framework import serializers

from accounts.fields import BytesField, IdField, ShortListField, StrictSerializer, WholeField
from rooms.commit import WRAP_SIZE

MAX_CORE = 512
MAX_OPS_BYTES = 1024 * 1024
MAX_STATE = 2048
MAX_PREKEYS = 512 * 1024
MAX_PAGE = 100
MAX_WRAPS = 2600  # no more fit into the largest body
# What a commit with so many wraps may weigh (docs/wire.md, section 3).
BYTES_A_DEVICE = 1300
BYTES_A_COMMIT = 64 * 1024


class AfterEpoch(StrictSerializer):
    after = serializers.IntegerField(min_value=-1, max_value=2**53 - 1, default=-1)
    limit = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=MAX_PAGE)


class Commit(StrictSerializer):
    epoch = WholeField()
    hash = BytesField(exact=32)
    core = BytesField()
    tag = BytesField(exact=32)
    sig = BytesField(exact=64)
    ops = BytesField()
    state = BytesField()
    committer_user = IdField(source="committer_id", allow_null=True)
    committer_device = IdField()


class Commits(StrictSerializer):
    commits = Commit(many=True)
    head_epoch = WholeField()


class CommitParts(StrictSerializer):
    core = BytesField(min=1, max=MAX_CORE)
    tag = BytesField(exact=32)
    sig = BytesField(exact=64)
    ops = BytesField(max=MAX_OPS_BYTES)
    state = BytesField(min=1, max=MAX_STATE)
    prekeys = BytesField(max=MAX_PREKEYS)


class SentWrap(StrictSerializer):
    device_id = IdField()
    wrap = BytesField(exact=WRAP_SIZE)


class NewCommit(CommitParts):
    wraps = ShortListField(child=SentWrap(), max_length=MAX_WRAPS)


class NewRoom(StrictSerializer):
    genesis = BytesField(min=1, max=MAX_CORE)
    commit = CommitParts()
    wraps = ShortListField(child=SentWrap(), max_length=MAX_WRAPS)


class AcceptedCommit(StrictSerializer):
    epoch = WholeField()
    hash = BytesField(exact=32)


class Prekeys(StrictSerializer):
    prekeys = BytesField()


class Wrap(StrictSerializer):
    epoch = WholeField(source="commit.epoch")
    wrap = BytesField(exact=WRAP_SIZE)


class Wraps(StrictSerializer):
    wraps = Wrap(many=True)


class WrapsAck(StrictSerializer):
    epochs = ShortListField(child=WholeField(), min_length=1, max_length=MAX_PAGE)


class SentHistoryRecord(StrictSerializer):
    epoch = WholeField()
    commit_hash = BytesField(exact=32)
    bk_version = WholeField(min=1)
    record = BytesField(exact=WRAP_SIZE)
    sig = BytesField(exact=64)


class NewHistoryRecords(StrictSerializer):
    records = ShortListField(child=SentHistoryRecord(), min_length=1, max_length=MAX_PAGE)


class HistoryRecord(SentHistoryRecord):
    writer_device = IdField()


class HistoryRecords(StrictSerializer):
    records = HistoryRecord(many=True)
