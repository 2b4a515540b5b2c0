/** The English of starting an account again. */

import type { startAgain as korean } from "./ko_start_again.ts";

export const startAgain: typeof korean = {
  intro: "If the recovery key is gone and no browser opens your chats any more, you can start this account again with new keys.",
  stays: "What stays: your account, your e-mail address and your friends.",
  goes: "What goes: your past messages, unless you find your recovery key later. You also leave your chats, and friends have to invite you again.",
  takesTime:
    "So that nobody does this behind your back, it waits for 72 hours. All your devices and your mailbox are told, and any of your devices can stop it.",
  begin: "Start again",
  formText:
    "For now this is only announced. If nobody stops it for 72 hours, you can start again in this browser. Your password is asked once more, to be sure that it is you.",
  password: "Password",
  announce: "Announce and wait",
  announcing: "Making new keys and announcing them…",
  hours: (count) => (count === 1 ? "1 hour" : `${String(count)} hours`),
  minutes: (count) => (count === 1 ? "1 minute" : `${String(count)} minutes`),
  waits: (left) => `Waiting to start again: ${left} left.`,
  from: "Possible from:",
  waitsHint:
    "Do not delete this browser's data, and come back here then. If you find the recovery key before that, type it below.",
  isDue: "You can start again now.",
  finish: "Start again now",
  finishTitle: "Really start again?",
  finishText: "All devices you used before are signed out. Your past messages come back only with the recovery key that you had until now.",
  starting: "Starting again…",
  takeBack: "Take it back",
  elsewhere: "Somebody is starting this account again somewhere else. If it is not you, stop it and change your password.",
  stop: "Stop it",
  bar: (left) =>
    `Somebody is starting this account again without a recovery key. In ${left} this device may be signed out. If it is not you, stop it.`,
  barDue:
    "Somebody is starting this account again without a recovery key. This device may be signed out at any moment. If it is not you, stop it.",
  stopped: "Stopped. Somebody may know your password: change it at once.",
};
