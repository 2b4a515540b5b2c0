"""A new recovery key is checked here: list, blob and the carried seed go together, or nothing does.

Clients never rely on these; they keep an account from losing the way back to its own history.
"""

from dataclasses import dataclass

from accounts.device_lists import read_next_list
from accounts.enrolment import check_recovery, refused_member
from accounts.models import AccountKey, DeviceList
from accounts.signed_objects import DeviceListObject, RecoveryObject, parse_device_list


@dataclass(frozen=True, slots=True)
class Renewal:
    """The bytes of ``POST /api/me/recovery``, as received."""

    device_list: bytes
    list_sig: bytes
    recovery_blob: bytes
    recovery_sig: bytes
    carry: bytes

    def check(
        self, newest: DeviceList, account: AccountKey
    ) -> tuple[DeviceListObject, RecoveryObject]:
        """Read everything against what is kept now; ``invalid`` or ``list_version``."""
        before = parse_device_list(bytes(newest.body))
        after = read_next_list(before, self.device_list, self.list_sig)
        if after.entries != before.entries:
            raise refused_member("device_list", "Names other devices.")
        if after.bk_version != before.bk_version + 1 or after.bk_hash == before.bk_hash:
            raise refused_member("device_list", "Does not name the next backup key.")
        version = account.recovery_version + 1
        return after, check_recovery(self.recovery_blob, self.recovery_sig, after, version)
