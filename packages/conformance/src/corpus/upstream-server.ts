/** kube-apiserver on an etcd of its own, over connections that are kept. */
import { readFile } from "node:fs/promises";
import { Agent } from "node:https";
import { dirname, join } from "node:path";
import { dial } from "@nanokube/rpc";
import { apiServerSubjects, type RestAnswer, type RestRequest } from "../subjects/apiserver.ts";
import { httpsExchange } from "../subjects/https-exchange.ts";
import { compactUpstream } from "./compact.ts";
import { compaction } from "./corpus-case.ts";
import type { Send } from "./run.ts";

export interface UpstreamServer {
  send: Send;
  close(): Promise<void>;
}

export async function openUpstream(flags: readonly string[] = []): Promise<UpstreamServer> {
  const subject = apiServerSubjects().find(({ name }) => name === "kube-apiserver");
  if (subject === undefined || subject.skip !== undefined) {
    throw new Error(subject?.skip ?? "kube-apiserver is needed: npm run upstream");
  }
  const instance = await subject.open(flags);
  const file = (name: string) => readFile(join(dirname(instance.kubeconfig), name));
  const [ca, cert, key] = await Promise.all([file("ca.crt"), file("admin.crt"), file("admin.key")]);
  const agent = new Agent({ ca, cert, key, keepAlive: true, maxSockets: 64 });
  return {
    send: (request) =>
      request.method === compaction
        ? compactUpstream(dial(instance.storeURL))
        : exchange(instance.url, agent, request),
    async close() {
      agent.destroy();
      await instance.close();
    },
  };
}

function exchange(
  url: string,
  agent: Agent,
  { method, path, body, headers }: RestRequest,
): Promise<RestAnswer> {
  const bytes = Buffer.from((body as string | Uint8Array | undefined) ?? "");
  const { hostname, port } = new URL(url);
  const options = {
    hostname,
    port,
    // As it is written: a URL would be made tidy.
    path,
    method,
    agent,
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      ...(body === undefined ? {} : { "content-length": String(bytes.length) }),
      ...headers,
    },
  };
  return httpsExchange(options, body === undefined ? undefined : bytes);
}
