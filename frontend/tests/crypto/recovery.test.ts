import sodium from "libsodium-wrappers-sumo";
import { afterEach, describe, expect, it, vi } from "vitest";
import { generateWords, openRecovery, sealRecovery } from "../../src/crypto";
import { World, seeded } from "./cast";
import { refused } from "./refusals";

afterEach(() => vi.restoreAllMocks());

describe("a recovery blob that asks for more memory than there is", () => {
  it("is refused like one that does not open", async () => {
    const { account, recoveryKey } = (await World.of("alice")).get("alice");
    const secret = generateWords(seeded("words"));
    const blob = sealRecovery(account, recoveryKey, secret, { version: 1 });
    const open = () => openRecovery(blob, { user: account.user, secret });
    expect(refused(open)).toBe("ok");
    vi.spyOn(sodium, "crypto_pwhash").mockImplementation(() => {
      throw new Error("no key could be derived");
    });
    expect(refused(open)).toBe("recovery");
  });
});
