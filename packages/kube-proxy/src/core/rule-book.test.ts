/**
 * The text of the rules, case by case, held in testdata/; and which part of it a change writes.
 *
 * Source  kubernetes pkg/proxy/iptables/proxier.go; the golden files were compared with upstream's
 *         kube-proxy (test/upstream.test.ts)
 */
import type { Service } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import { describe, expect, test } from "vitest";
import { cases } from "../../test/cases.ts";
import { bookOptions, service, slice } from "../../test/objects.ts";
import { chainHash } from "../io/hash.ts";
import { cleanupText, parseSaved } from "./restore-text.ts";
import { type BookOptions, RuleBook } from "./rule-book.ts";

function fill(book: RuleBook, services: Service[], slices: EndpointSlice[]): RuleBook {
  for (const s of services) book.setService(`default/${s.metadata?.name}`, s);
  for (const s of slices) book.setSlice(s, true);
  return book;
}

function full(services: Service[], slices: EndpointSlice[], extra: Partial<BookOptions> = {}) {
  const book = fill(new RuleBook({ ...bookOptions, ...extra }), services, slices);
  book.setNode({ nodeName: "n1", zone: "zone-a", nodeIP: "192.168.0.2" });
  return book.plan(parseSaved(""));
}

describe("the whole text", () => {
  test.for(cases)("$name", async ({ name, services, slices, options: extra }) => {
    const { text } = full(services, slices, extra);
    await expect(text).toMatchFileSnapshot(`testdata/${name.replaceAll(/\W+/g, "-")}.txt`);
  });
});

const http = [{ name: "http", port: 8080 }];
const web = (port = 80) =>
  service("web", { clusterIP: "10.96.0.5", ports: [{ name: "http", port, protocol: "TCP" }] });
const dns = service("dns", {
  clusterIP: "10.96.0.10",
  ports: [{ name: "dns", port: 53, protocol: "UDP" }],
});
const chainsIn = (text: string | undefined) =>
  (text ?? "").split("\n").filter((l) => /^:KUBE-(SVC|SEP|SVL|EXT|FW)-/.test(l));

describe("a change", () => {
  const start = () => {
    const book = fill(
      new RuleBook(bookOptions),
      [web(), dns],
      [
        slice("web", http, ["10.244.0.2@n1", "10.244.1.2@n2"]),
        slice("dns", [{ name: "dns", port: 53, protocol: "UDP" }], ["10.244.0.9@n1"]),
      ],
    );
    const plan = book.plan(parseSaved(""));
    expect(chainsIn(plan.text)).toHaveLength(5);
    plan.written();
    return book;
  };

  test("writes the chains of its Service only, and removes those no longer used", () => {
    const book = start();
    book.setSlice(slice("web", http, ["10.244.0.2@n1"]), true);
    const plan = book.plan(undefined);
    expect(plan).toMatchObject({ full: false, changed: ["default/web"], cleanConntrack: false });
    expect(chainsIn(plan.text)).toHaveLength(3);
    const removed = [...(plan.text ?? "").matchAll(/^-X (.*)$/gm)].map((m) => m[1]);
    expect(removed).toEqual([`KUBE-SEP-${chainHash("default/web:httptcp10.244.1.2:8080")}`]);
    expect(plan.text).toContain('"default/dns:dns cluster IP"');
  });

  test("that changes no rule writes nothing", () => {
    const book = start();
    book.setService("default/web", {
      ...web(),
      metadata: { ...web().metadata, labels: { a: "b" } },
    });
    const plan = book.plan(undefined);
    expect(plan).toMatchObject({ text: undefined, changed: [] });
    plan.written();
    expect(book.needsFull).toBe(false);
  });

  test("that could not be written is followed by a full text", () => {
    const book = start();
    book.setService("default/web", web(81));
    book.plan(undefined);
    expect(book.needsFull).toBe(true);
    const plan = book.plan(parseSaved("*nat\n:KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]\nCOMMIT\n"));
    expect(plan.full).toBe(true);
    expect(plan.text).toContain("-X KUBE-SEP-AAAAAAAAAAAAAAAA");
    expect(chainsIn(plan.text)).toHaveLength(6);
  });

  test("of a UDP Service's endpoints asks for its stale flows", () => {
    const book = start();
    book.setSlice(
      slice("dns", [{ name: "dns", port: 53, protocol: "UDP" }], ["10.244.0.8@n1"]),
      true,
    );
    expect(book.plan(undefined).cleanConntrack).toBe(true);
  });

  test("that deletes a Service removes its chains", () => {
    const book = start();
    book.setService("default/web", undefined);
    const { text } = book.plan(undefined);
    expect([...(text ?? "").matchAll(/^-X /gm)]).toHaveLength(3);
    expect(text).not.toContain("default/web");
  });

  test("past 1000 endpoints drops the comments of all endpoints", () => {
    const book = start();
    const many = Array.from({ length: 1001 }, (_, i) => `10.245.${i >> 8}.${i & 255}@n2`);
    book.setService(
      "default/big",
      service("big", {
        clusterIP: "10.96.0.7",
        ports: [{ name: "http", port: 80, protocol: "TCP" }],
      }),
    );
    book.setSlice(slice("big", http, many), true);
    const { text } = book.plan(undefined);
    expect(text).not.toContain("->");
    expect(text).toContain("--probability 0.0009990010");
  });
});

test("jumps that are there are not made again, and clean-up takes them away", () => {
  const { text } = full([web()], []);
  const inserted = [...(text ?? "").matchAll(/^-I (\S+) 1 (.*)$/gm)];
  expect(inserted).toHaveLength(14);
  const saved = [
    "*filter",
    ...inserted.slice(0, 11).map((m) => `-A ${m[1]} ${m[2]}`),
    "COMMIT",
    "*nat",
    ":KUBE-SERVICES - [0:0]",
    ...inserted.slice(11).map((m) => `-A ${m[1]} ${m[2]}`),
    "COMMIT",
  ].join("\n");
  expect(parseSaved(saved).missingJumps).toEqual([]);
  const gone = cleanupText(saved);
  expect([...gone.matchAll(/^-D /gm)]).toHaveLength(12);
  expect(gone).toContain("-X KUBE-SERVICES");
  expect(gone).not.toContain("KUBE-FIREWALL");
});
