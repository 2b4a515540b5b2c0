/** Addresses of the screens. Links are ordinary links; this module says what each address shows. */

import type { Id } from "../engine/contract.ts";

export type Route =
  | { page: "friends" }
  | { page: "rooms" }
  | { page: "room"; roomId: Id }
  | { page: "me" }
  | { page: "unknown" };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What the path of an address shows; `unknown` for anything that is not ours. */
export function routeOf(path: string): Route {
  const [first = "", second, ...rest] = path.replace(/^\/+|\/+$/g, "").split("/");
  if (rest.length > 0) return { page: "unknown" };
  if (first === "rooms" && second !== undefined) {
    return UUID.test(second) ? { page: "room", roomId: second } : { page: "unknown" };
  }
  if (second !== undefined) return { page: "unknown" };
  if (first === "" || first === "rooms") return { page: "rooms" };
  if (first === "friends" || first === "me") return { page: first };
  return { page: "unknown" };
}

export function pathOf(route: Exclude<Route, { page: "unknown" }>): string {
  return route.page === "room" ? `/rooms/${route.roomId}` : `/${route.page}`;
}

/** The parts of a click that tell whether the browser should follow the link by itself. */
export interface Click {
  button: number;
  metaKey: boolean;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  defaultPrevented: boolean;
}

/** The parts of a link that matter; an `<a>` fits. */
export interface Link {
  href: string;
  target: string;
  hasAttribute(name: string): boolean;
}

/** The route that a click on a link opens inside this page; null leaves the link to the browser. */
export function routeOfClick(click: Click, link: Link, origin: string): Route | null {
  const plain = click.button === 0 && !click.metaKey && !click.ctrlKey && !click.shiftKey && !click.altKey;
  if (!plain || click.defaultPrevented || link.target !== "" || link.hasAttribute("download")) return null;
  const address = new URL(link.href, origin);
  const route = routeOf(address.pathname);
  return address.origin === origin && route.page !== "unknown" ? route : null;
}
