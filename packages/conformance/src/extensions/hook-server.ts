/** A webhook server: what it answers is in the path that it is asked at. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { conversionAnswer } from "./conversion-hook.ts";

type Tree = Record<string, unknown>;

export interface HookServer {
  /** What `$HOOK` and `$CA` in a scenario stand for. */
  readonly words: Readonly<Record<string, string>>;
  close(): void;
}

const patchOf = (operations: unknown): Tree => ({
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});

const label = (key: string, value: string) => [
  { op: "add", path: `/metadata/labels/${key}`, value },
];

/** What differs from run to run, taken out. */
function told(request: Tree): string {
  const { object, oldObject, ...rest } = request as { object: Tree | null; oldObject: Tree | null };
  const shown = (tree: Tree | null) => {
    if (tree === null || tree === undefined) return tree;
    const meta = (tree["metadata"] ?? {}) as Tree;
    const { uid: _, creationTimestamp: _c, managedFields: _m, resourceVersion: _r, ...own } = meta;
    return { ...tree, metadata: own };
  };
  const all: Tree = { ...rest, object: shown(object), oldObject: shown(oldObject) };
  const { uid: _, ...others } = all;
  const user = { ...(others["userInfo"] as Tree) };
  delete user["extra"];
  return sorted({ ...others, userInfo: user });
}

function sorted(tree: unknown): string {
  return JSON.stringify(tree, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

const answers: Record<string, (request: Tree) => Tree> = {
  allow: () => ({ allowed: true, warnings: ["asked"] }),
  annotate: () => ({ allowed: true, auditAnnotations: { note: "seen" } }),
  deny: () => ({ allowed: false }),
  "deny-message": () => ({ allowed: false, status: { message: "not today" } }),
  "deny-reason": () => ({ allowed: false, status: { reason: "Conflict", code: 409 } }),
  "deny-low": () => ({ allowed: false, status: { message: "odd", code: 200, status: "Success" } }),
  "deny-causes": () => ({
    allowed: false,
    status: {
      message: "see causes",
      reason: "Invalid",
      code: 422,
      details: { causes: [{ reason: "Bad", message: "is bad", field: "data.a" }] },
    },
  }),
  echo: (request) => ({ allowed: false, status: { message: told(request) } }),
  label: () => ({ allowed: true, ...patchOf(label("hook", "yes")) }),
  "label-again": (request) => {
    const meta = ((request["object"] as Tree)["metadata"] ?? {}) as { labels?: Tree };
    const times = Number(meta.labels?.["times"] ?? 0) + 1;
    return { allowed: true, ...patchOf(label("times", String(times))) };
  },
  "bad-patch": () => ({
    allowed: true,
    ...patchOf([{ op: "replace", path: "/nope/nope", value: 1 }]),
  }),
  "not-a-patch": () => ({ allowed: true, patchType: "JSONPatch", patch: btoa("{") }),
  "empty-patch": () => ({ allowed: true, ...patchOf([]) }),
  "no-patch-type": () => ({ allowed: true, patch: patchOf([])["patch"] }),
  "other-patch-type": () => ({
    allowed: true,
    ...patchOf(label("a", "b")),
    patchType: "Merge",
  }),
  "patch-type-only": () => ({ allowed: true, patchType: "JSONPatch" }),
  "wrong-uid": () => ({ allowed: true, uid: "other" }),
  "patch-makes-invalid": () => ({
    allowed: true,
    ...patchOf([{ op: "add", path: "/data", value: { "a b": "c" } }]),
  }),
  "many-warnings": () => ({ allowed: true, warnings: ["one", "two", "w".repeat(300)] }),
};

const raw: Record<string, [number, string]> = {
  "not-json": [200, "hello"],
  "no-response": [200, `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}`],
  "wrong-kind": [200, `{"kind":"Pod","apiVersion":"v1","response":{"allowed":true}}`],
  "no-conversion": [200, `{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1"}`],
  "status-500": [500, "oh no"],
  "status-404": [404, "404 page not found"],
};

export async function startHookServer(): Promise<HookServer> {
  const dir = mkdtempSync(join(tmpdir(), "nk-hook-"));
  const make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const name = ["-days", "2", "-subj", "/CN=hook", "-addext", "subjectAltName=IP:127.0.0.1"];
  await execa("openssl", [...make, ...name, "-keyout", "key", "-out", "crt"], { cwd: dir });
  const [key, cert] = [readFileSync(join(dir, "key")), readFileSync(join(dir, "crt"))];
  rmSync(dir, { recursive: true });
  const server = createServer({ key, cert }, (request, response) => {
    const what = new URL(request.url ?? "/", "https://hook").pathname.slice(1);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (what === "slow") return;
      const send = (status: number, text: string) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(text);
      };
      const fixed = raw[what];
      if (fixed !== undefined) return send(...fixed);
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Tree & { request: Tree };
      if (review["kind"] === "ConversionReview") {
        const reply = conversionAnswer(what, review as Parameters<typeof conversionAnswer>[1]);
        return send(200, JSON.stringify(reply));
      }
      const said = answers[what]!(review.request);
      const { kind, apiVersion } = review;
      const reply = { uid: review.request["uid"], ...said };
      send(200, JSON.stringify({ kind, apiVersion, response: reply }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    words: { $HOOK: `https://127.0.0.1:${port}`, $CA: cert.toString("base64") },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
