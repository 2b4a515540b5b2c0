"""The keys of many people in one request: as much of each as the asker would get alone."""

from accounts.models import AccountKey
from accounts.throttles import ManyKeysThrottle


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
