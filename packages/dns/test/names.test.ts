/**
 * The names of a cluster, one table on this server and on CoreDNS: what they answer is held in a
 * golden file, and must be the same.
 *
 * Source  github.com/kubernetes/dns/docs/specification.md 1.1.0; CoreDNS v1.14 (when its program is
 *         there)
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nullLog, systemClock } from "@nanokube/machinery";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";
import type { TestEnvironment } from "../../testenv/src/index.ts";
import { createDns } from "../src/index.ts";
import { question, send, show } from "./ask.ts";
import { startCluster } from "./cluster.ts";

const coredns = findUpstream("coredns") ?? "";
let env: TestEnvironment;
beforeAll(async () => {
  env = await startCluster();
});
afterAll(() => env?.stop());

const svc = (name: string) => `${name}.svc.cluster.local`;
const questions = [
  ...[
    `A ${svc("web.shop")}`,
    `AAAA ${svc("web.shop")}`,
    `SRV ${svc("web.shop")}`,
    `A ${svc("WEB.Shop")}`,
  ],
  ...[
    `SRV ${svc("_http._tcp.web.shop")}`,
    `SRV ${svc("_dns._udp.web.shop")}`,
    `A ${svc("_http._tcp.web.shop")}`,
  ],
  ...[
    `SRV ${svc("_http._udp.web.shop")}`,
    `SRV ${svc("_none._tcp.web.shop")}`,
    `SRV ${svc("http.tcp.web.shop")}`,
  ],
  ...[
    `A ${svc("10-244-0-2.web.shop")}`,
    `A ${svc("10-244-0-9.web.shop")}`,
    `A ${svc("a.b.c.web.shop")}`,
  ],
  ...[
    `A ${svc("db.shop")}`,
    `AAAA ${svc("db.shop")}`,
    `SRV ${svc("db.shop")}`,
    `SRV ${svc("_sql._tcp.db.shop")}`,
  ],
  ...[
    `A ${svc("db-0.db.shop")}`,
    `SRV ${svc("db-1.db.shop")}`,
    `A ${svc("db-2.db.shop")}`,
    `A ${svc("10-244-1-5.db.shop")}`,
  ],
  ...[
    `AAAA ${svc("db6.shop")}`,
    `A ${svc("db6.shop")}`,
    `SRV ${svc("db6.shop")}`,
    `AAAA ${svc("fd00-244-1--0.db6.shop")}`,
  ],
  ...[
    `A ${svc("none.shop")}`,
    `SRV ${svc("none.shop")}`,
    `A ${svc("portless.shop")}`,
    `SRV ${svc("portless.shop")}`,
  ],
  ...[`A ${svc("idle.shop")}`, `SRV ${svc("idle.shop")}`],
  ...[`A ${svc("gone.shop")}`, `A ${svc("web.gone")}`, `A ${svc("shop")}`, `A ${svc("gone")}`],
  ...["A svc.cluster.local", "A pod.cluster.local", "A cluster.local", "A foo.cluster.local"],
  ...["SOA cluster.local", `SOA ${svc("web.shop")}`, "SOA foo.cluster.local"],
  ...[
    "TXT dns-version.cluster.local",
    "A dns-version.cluster.local",
    `TXT ${svc("web.shop")}`,
    `TXT ${svc("gone.shop")}`,
  ],
  ...[
    `MX ${svc("web.shop")}`,
    `MX ${svc("gone.shop")}`,
    `CNAME ${svc("web.shop")}`,
    `65 ${svc("web.shop")}`,
    `ANY ${svc("web.shop")}`,
  ],
  ...[
    `NS ${svc("web.shop")}`,
    "AXFR cluster.local",
    `PTR ${svc("web.shop")}`,
    `PTR ${svc("gone.shop")}`,
  ],
  ...[
    `A ${svc("out.shop")}`,
    `CNAME ${svc("out.shop")}`,
    `SRV ${svc("out.shop")}`,
    `TXT ${svc("out.shop")}`,
  ],
  ...[
    `A ${svc("inside.shop")}`,
    `AAAA ${svc("inside.shop")}`,
    `CNAME ${svc("inside.shop")}`,
    `SRV ${svc("inside.shop")}`,
  ],
  ...[`A ${svc("loop.shop")}`, `A ${svc("dangling.shop")}`, `A ${svc("x.out.shop")}`],
  ...[
    "A 10-244-0-2.shop.pod.cluster.local",
    "A 1-2-3-4.default.pod.cluster.local",
    "A 10-244-0-2.gone.pod.cluster.local",
  ],
  ...[
    "AAAA fd00--2.shop.pod.cluster.local",
    "A fd00--2.shop.pod.cluster.local",
    "A web.shop.pod.cluster.local",
    "A shop.pod.cluster.local",
  ],
  ...["SRV 10-244-0-2.shop.pod.cluster.local"],
  ...[
    "PTR 5.0.96.10.in-addr.arpa",
    "PTR 3.0.244.10.in-addr.arpa",
    "PTR 5.1.244.10.in-addr.arpa",
    "PTR 4.1.244.10.in-addr.arpa",
  ],
  ...[
    "PTR 9.9.9.9.in-addr.arpa",
    "PTR 10.in-addr.arpa",
    "A 5.0.96.10.in-addr.arpa",
    "SOA in-addr.arpa",
    "PTR in-addr.arpa",
  ],
  "PTR 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.0.d.f.ip6.arpa",
  `PTR ${"5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.0.d.f"}.ip6.arpa`,
  ...["A www.example.com", "A localhost", "A ."],
];

interface Subject {
  port: number;
  close(): Promise<void>;
}

async function ours(): Promise<Subject> {
  const stop = new AbortController();
  const listen = { host: "127.0.0.1", port: 0 };
  const dns = createDns({
    client: env.client,
    clusterDomain: "cluster.local",
    upstreams: [],
    listen,
    clock: systemClock,
    log: nullLog,
    ttl: 5,
  });
  await dns.start(stop.signal);
  await dns.ready;
  return {
    port: dns.port,
    async close() {
      stop.abort();
      await dns.closed;
    },
  };
}

async function upstream(): Promise<Subject> {
  const dir = mkdtempSync(join(tmpdir(), "nk-test-dns-"));
  await env.writeKubeconfig(join(dir, "kubeconfig"));
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const { port } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  writeFileSync(
    join(dir, "Corefile"),
    `.:${port} {\n bind 127.0.0.1\n kubernetes cluster.local in-addr.arpa ip6.arpa {\n  kubeconfig ${join(dir, "kubeconfig")}\n  pods insecure\n  fallthrough in-addr.arpa ip6.arpa\n  ttl 5\n }\n}\n`,
  );
  const child: ChildProcess = spawn(coredns, ["-conf", join(dir, "Corefile")], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  for (let i = 0; i < 100; i++) {
    const answer = await send(port, question("A kubernetes.default.svc.cluster.local"), 100);
    if (answer !== undefined && show(answer).status === "NOERROR") break;
  }
  return {
    port,
    async close() {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      rmSync(dir, { recursive: true });
    },
  };
}

const subjects = [
  { name: "nanokube", open: ours, missing: false },
  { name: "coredns", open: upstream, missing: missingReason("coredns") !== undefined },
];

describe.each(subjects)("$name", ({ open, missing }) => {
  let subject: Subject;
  beforeAll(async () => {
    if (!missing) subject = await open();
  });
  afterAll(async () => subject?.close());

  test.skipIf(missing)("answers as the golden file says", async () => {
    const lines: string[] = [];
    for (const asked of questions) {
      const answer = await send(subject.port, question(asked));
      const { status, flags, answer: a, authority, additional } = show(answer!);
      lines.push(`${asked}\n  ${status} ${flags}`.trimEnd());
      for (const record of a) lines.push(`  ${record}`);
      for (const record of authority) lines.push(`  authority: ${record}`);
      for (const record of additional) lines.push(`  additional: ${record}`);
    }
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("testdata/names.txt");
  });
});
