/** Oneself and one's friends, as the server last told them; kept sealed for a start without it. */
import type { Core } from "./core";
import type { FriendsJson, MeJson } from "./wire";

/** Fetch and keep who we are. */
export async function refreshMe(core: Core): Promise<void> {
  await keepMe(core, await core.api.get<MeJson>("/api/me"));
}

/** Keep an answer that says who we are. */
export async function keepMe(core: Core, me: MeJson): Promise<void> {
  await core.store.setFact("me", me);
  core.changed({ me: true });
}

/** Fetch and keep friends and requests. */
export async function refreshFriends(core: Core): Promise<void> {
  const friends = await core.api.get<FriendsJson>("/api/friends");
  await core.store.setFact("friends", friends);
  core.changed({ friends: true });
}
