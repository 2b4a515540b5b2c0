"""The keys of many people in one request: as much of each as the asker would get alone."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AccountKey, DeviceList
from accounts.throttles import ManyKeysThrottle
from tests.accounts.listing import PATH, add_device, body_of, listed


def ask(person, *wanted):
    users = [{"user_id": str(user_id), "after_version": version} for user_id, version in wanted]
    return person.post("/api/users/keys", {"users": users})


def test_each_gets_of_many_what_they_get_of_each_alone(alice, bob, carol):
    asked = [(alice.id, 0), (bob.id, 0), (carol.id, 1)]
    alone = [alice.get(f"/api/users/{user}/keys?after_version={n}").json() for user, n in asked]
    assert [len(each["lists"]) for each in alone] == [1, 1, 0]

    assert ask(alice, *asked).json() == {"users": alone}


def test_strangers_and_former_members_learn_of_nobody_whom_they_may_not_see(cast):
    absent = "00000000-0000-4000-8000-000000000000"
    friend = ask(cast.alice, (cast.bob.id, 0), (absent, 0)).json()["users"]
    assert [each["user_id"] for each in friend] == [str(cast.bob.id)]

    for outsider in (cast.mallory, cast.dave):
        own = outsider.get(f"/api/users/{outsider.id}/keys").json()
        answer = ask(outsider, (cast.bob.id, 0), (outsider.id, 0), (absent, 0))
        assert answer.json() == {"users": [own]}


def test_who_has_no_keys_yet_is_left_out(alice, bob):
    assert len(ask(alice, (bob.id, 0)).json()["users"]) == 1
    AccountKey.objects.filter(user=bob.user).delete()

    assert ask(alice, (bob.id, 0)).json() == {"users": []}


def test_more_than_a_hundred_at_once_are_refused(alice, bob):
    assert ask(alice, *[(bob.id, 0)] * 100).status_code == 200

    answer = ask(alice, *[(bob.id, 0)] * 101)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_nobody_asks_for_many_without_end(alice, bob, monkeypatch):
    monkeypatch.setattr(ManyKeysThrottle, "rate", "2/hour")
    assert [ask(alice, (bob.id, 0)).status_code for _ in range(3)] == [200, 200, 429]


def drop_all_but_the_first(person):
    assert person.post(PATH, body_of(listed(person, person.device))).status_code == 201


def cost_of(monkeypatch, act):
    """How many queries an answer takes, and how many rows of lists it reads."""
    read = []
    made = DeviceList.__init__

    def counted(self, *args, **kwargs):
        read.append(self)
        made(self, *args, **kwargs)

    with monkeypatch.context() as patch, CaptureQueriesContext(connection) as queries:
        patch.setattr(DeviceList, "__init__", counted)
        answer = act()
    assert answer.status_code == 200
    return len(queries), len(read)


def test_an_answer_reads_no_lists_that_it_does_not_hold(alice, bob, monkeypatch):
    def ask_after(version):
        one = f"/api/users/{bob.id}/keys?after_version={version}"
        return [
            cost_of(monkeypatch, lambda: alice.get(one)),
            cost_of(monkeypatch, lambda: ask(alice, (bob.id, version))),
        ]

    ask_after(0)  # the first request of a session asks more
    (one_queries, _), (many_queries, _) = ask_after(0)
    for _ in range(3):
        add_device(bob)
        drop_all_but_the_first(bob)

    # The newest is read for its devices, too.
    assert ask_after(7) == [(one_queries, 1), (many_queries, 1)]
    assert ask_after(5) == [(one_queries, 3), (many_queries, 3)]
