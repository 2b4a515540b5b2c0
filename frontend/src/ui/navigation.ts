/** Going to another screen: one place changes the address, everything else listens to `popstate`. */

import { pathOf, routeOfClick, type Route } from "./router.ts";

export function navigate(route: Exclude<Route, { page: "unknown" }>): void {
  const path = pathOf(route);
  if (path !== location.pathname) history.pushState(null, "", path);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

/** Opens our own links without loading the page again; every other link stays the browser's. */
export function followOwnLinks(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const route = link === null ? null : routeOfClick(event, link, location.origin);
  if (route === null || route.page === "unknown") return;
  event.preventDefault();
  navigate(route);
}

/** Posts a form of the server's own pages (sign-out, language): the answer is a new page. */
export function postForm(action: string, fields: Record<string, string>): void {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  form.hidden = true;
  for (const [name, value] of Object.entries({ ...fields, csrfmiddlewaretoken: csrfToken() })) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}
