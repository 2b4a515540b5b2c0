/** REST (docs/wire.md §3): JSON in, JSON out, every failure one `Refusal`. */
import type { Failure } from "./contract";
import type { Platform } from "./platform";
import { Refusal, refuse } from "./refusal";

export const REQUEST_TIMEOUT_MS = 15_000;

type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

interface Problem {
  code?: unknown;
  fields?: unknown;
  retry_after_ms?: unknown;
  room_id?: unknown;
}

/** Read a problem document; an answer without one counts by its status. */
function refusalOf(status: number, problem: Problem): Refusal {
  const byStatus: Record<number, string> = { 401: "not_signed_in", 404: "not_found", 413: "too_large" };
  const fallback = status >= 500 ? "unavailable" : (byStatus[status] ?? "forbidden");
  const failure: Failure = {
    code: typeof problem.code === "string" ? problem.code : fallback,
  };
  if (typeof problem.retry_after_ms === "number") failure.retryAfterMs = problem.retry_after_ms;
  if (typeof problem.fields === "object" && problem.fields !== null) {
    failure.fields = problem.fields as Record<string, string[]>;
  }
  return new Refusal(failure, typeof problem.room_id === "string" ? problem.room_id : undefined);
}

export class Api {
  /** Called when the server wants a proved device; the request is then repeated once. */
  prove: (() => Promise<void>) | null = null;

  constructor(
    private readonly platform: Platform,
    private readonly origin: string,
    private readonly csrfToken: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.ask<T>("GET", path);
  }

  post<T = null>(path: string, body: object = {}): Promise<T> {
    return this.ask<T>("POST", path, body);
  }

  patch<T>(path: string, body: object): Promise<T> {
    return this.ask<T>("PATCH", path, body);
  }

  put(path: string, body: object): Promise<null> {
    return this.ask<null>("PUT", path, body);
  }

  delete(path: string): Promise<null> {
    return this.ask<null>("DELETE", path);
  }

  private async ask<T>(method: Method, path: string, body?: object): Promise<T> {
    try {
      return await this.once<T>(method, path, body);
    } catch (error) {
      const unproved = error instanceof Refusal && error.code === "device_required";
      if (!unproved || !this.prove) throw error;
      await this.prove();
      return await this.once<T>(method, path, body);
    }
  }

  private async once<T>(method: Method, path: string, body?: object): Promise<T> {
    const abort = new AbortController();
    const cancel = this.platform.after(REQUEST_TIMEOUT_MS, () => abort.abort());
    try {
      const response = await this.platform.fetch(this.origin + path, {
        method,
        signal: abort.signal,
        credentials: "same-origin",
        redirect: "error",
        headers: { Accept: "application/json", ...this.unsafeHeaders(method) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await this.read<T>(response);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw refuse(abort.signal.aborted ? "timeout" : "offline");
    } finally {
      cancel();
    }
  }

  private unsafeHeaders(method: Method): Record<string, string> {
    if (method === "GET") return {};
    return { "Content-Type": "application/json", "X-CSRFToken": this.csrfToken };
  }

  private async read<T>(response: Response): Promise<T> {
    const text = await response.text();
    const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
    const content: unknown = isJson && text ? JSON.parse(text) : null;
    if (!response.ok) throw refusalOf(response.status, (content ?? {}));
    return content as T;
  }
}
