/** Linking a device, in English. */

import type { Catalogue } from "./index.ts";

export const link: Catalogue["link"] = {
  title: "Link with another device",
  text: "If your chats are open on another device, you can link this browser from there.",
  show: "Show a code",
  again: "Show a new code",
  step1: "On the other device, open “Me → Devices → Link a device”.",
  step2: "Enter this code there.",
  step3: "If both screens show the same number, enter your recovery key on the other device.",
  qr: "QR code that holds the link code",
  code: "Link code",
  codeHint: "The 24 characters on the new device. Capitals do not matter.",
  compare: "The number on both screens",
  waiting: "Waiting for the other device. The code works once, for five minutes. Do not send it to anybody.",
  taken: "The other device has read the code. Check the number, and finish on the other device.",
  add: "Link a device",
  addTitle: "Link a new device",
  addText: "Sign in on the new device, choose “Show a code”, and enter the code you see there. Never enter a code that somebody sent you.",
  next: "Next",
  reading: "Checking the code…",
  photo: "Take a photo",
  noCode: "There is no code on that photo. Please take it from nearer, or type the code.",
  check: "Does the new device show this number?",
  checkText: "If it does, enter your recovery key. The new device will read all your chats up to now. If the number differs, or it is not your device, do not link it.",
  accept: "Link",
  refuse: "Do not link",
  linked: "The device is linked",
};
