/** Our API server on etcd-lite, both in this process, without a socket. */
import { generateKeyPairSync } from "node:crypto";
import { createApiServer } from "@nanokube/apiserver";
import { createEtcd } from "@nanokube/etcd-lite";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import type { RestAnswer, RestRequest } from "../subjects/apiserver.ts";
import { compact } from "./compact.ts";
import { compaction } from "./corpus-case.ts";
import type { Send } from "./run.ts";

/** With the beta versions, or without. */
export interface InProcess {
  send: Send;
  close(): Promise<void>;
}

/** No answer takes as long: a watch that never ends is told so. */
const endlessMs = 60_000;

const admin = { name: "admin", groups: ["system:masters", "system:authenticated"] };

export async function openInProcess(beta = false): Promise<InProcess> {
  const shared = { clock: systemClock, random: systemRandom, log: nullLog };
  const etcd = await createEtcd(shared);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const server = await createApiServer({
    ...shared,
    etcd: etcd.channel(),
    serviceClusterIPRange: "10.96.0.0/16",
    advertiseAddress: "10.89.0.1",
    pki: { serviceAccountSigningKey: String(privateKey.export({ type: "pkcs8", format: "pem" })) },
    authorizationMode: ["Node", "RBAC"],
    serviceAccountIssuer: "https://kubernetes.default.svc",
    runtimeConfig: beta ? { "api/beta": true } : {},
  });
  await server.ready;
  const transport = server.transport(admin);
  const send = async ({ method, path, body, headers }: RestRequest): Promise<RestAnswer> => {
    if (method === compaction) return compact(etcd.channel());
    const signal = AbortSignal.timeout(endlessMs);
    const answer = await transport({
      signal,
      method,
      path,
      headers: { accept: "application/json", "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: Buffer.from(body as string | Uint8Array) }),
    });
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of answer.body) chunks.push(chunk);
    } catch (error) {
      if (!signal.aborted) throw error;
      chunks.push(Buffer.from("(it does not end)"));
    }
    return {
      status: answer.status,
      headers: answer.headers,
      // What a socket would not carry.
      text: method === "HEAD" ? "" : Buffer.concat(chunks).toString(),
      bytes: Buffer.concat(chunks),
    };
  };
  return {
    send,
    async close() {
      await server.close();
      await etcd.close();
    },
  };
}
