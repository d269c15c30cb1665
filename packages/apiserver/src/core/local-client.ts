/**
 * The server writing into its own API: the same path as everybody's, without HTTP.
 *
 * For what must exist before anyone connects (namespaces, bootstrap policy, the kubernetes Service)
 * and for the few objects the server keeps itself.
 */
import { type KubeObject, StatusError } from "@nanokube/machinery";
import type { Handler } from "./handler.ts";
import type { ApiRequest, ApiResponse } from "./rest/context.ts";
import { join } from "./rest/list-body.ts";
import { systemUser } from "./system-user.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface LocalClient {
  get(path: string): Promise<KubeObject | undefined>;
  create(path: string, object: KubeObject): Promise<KubeObject>;
  update(path: string, object: KubeObject): Promise<KubeObject>;
  /** Server-side, and by force. */
  apply(path: string, fieldManager: string, object: KubeObject): Promise<KubeObject>;
  /** Merged into what is there. */
  merge(path: string, change: object): Promise<KubeObject>;
  delete(path: string): Promise<void>;
}

export function createLocalClient(handler: Handler): LocalClient {
  const call = async (
    method: string,
    path: string,
    object?: object,
    contentType?: string,
  ): Promise<KubeObject> => {
    const response = await handler(localRequest(method, path, object, contentType));
    return readAnswer(response);
  };
  return {
    async get(path) {
      try {
        return await call("GET", path);
      } catch (error) {
        if (error instanceof StatusError && error.code === 404) return undefined;
        throw error;
      }
    },
    create: (path, object) => call("POST", path, object),
    update: (path, object) => call("PUT", path, object),
    apply: (path, fieldManager, object) =>
      call("PATCH", `${path}?fieldManager=${fieldManager}&force=true`, object),
    merge: (path, change) => call("PATCH", path, change, "application/merge-patch+json"),
    async delete(path) {
      await call("DELETE", path);
    },
  };
}

function localRequest(
  method: string,
  path: string,
  object: object | undefined,
  contentType = method === "PATCH" ? "application/apply-patch+yaml" : "application/json",
): ApiRequest {
  const mark = path.indexOf("?");
  return {
    method,
    path: mark < 0 ? path : path.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : path.slice(mark + 1)),
    headers: {
      "user-agent": "kube-apiserver",
      "content-type": contentType,
    },
    body: async () =>
      object === undefined ? new Uint8Array() : encoder.encode(JSON.stringify(object)),
    signal: new AbortController().signal,
    user: systemUser,
  };
}

function readAnswer({ status, body, list }: ApiResponse): KubeObject {
  const whole = list === undefined ? body : join([list.head, list.items.bytes, list.tail]);
  if (typeof whole === "function") throw new Error("a stream is no object");
  const object = JSON.parse(decoder.decode(whole)) as KubeObject;
  if (status >= 400) throw new StatusError(object as StatusError["status"]);
  return object;
}
