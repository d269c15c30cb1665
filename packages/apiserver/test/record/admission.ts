/**
 * Records what upstream's kube-apiserver admits: each case in a namespace of its own.
 *
 * Needs upstream's kube-apiserver and etcd (see upstream.ts); writes testdata/admission.json.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AdmissionCase, admissionCases } from "../strategy-cases/admission.ts";
import { merge, type Tree } from "../strategy-cases/case.ts";
import { comparable, type Step, withoutServerFields } from "../strategy-cases/recording.ts";
import { startUpstream, type Upstream } from "../upstream.ts";

const paths: Readonly<Record<string, string>> = {
  Pod: "/api/v1/namespaces/x/pods",
  Service: "/api/v1/namespaces/x/services",
  ConfigMap: "/api/v1/namespaces/x/configmaps",
  LimitRange: "/api/v1/namespaces/x/limitranges",
  ResourceQuota: "/api/v1/namespaces/x/resourcequotas",
  PersistentVolumeClaim: "/api/v1/namespaces/x/persistentvolumeclaims",
  RuntimeClass: "/apis/node.k8s.io/v1/runtimeclasses",
  StorageClass: "/apis/storage.k8s.io/v1/storageclasses",
};

async function must(answer: Promise<{ status: number; body: Tree }>): Promise<Tree> {
  const { status, body } = await answer;
  if (status >= 400) throw new Error(`${status}: ${body.message}`);
  return body;
}

async function prepare(upstream: Upstream, namespace: string, given: readonly Tree[]) {
  const created: string[] = [];
  const inNamespace = (path: string) => path.replace("/namespaces/x/", `/namespaces/${namespace}/`);
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await must(upstream.send("POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, account));
  for (const object of given) {
    const path = inNamespace(paths[String(object.kind)] ?? "");
    const made = await must(upstream.send("POST", path, object));
    const own = `${path}/${(made.metadata as Tree).name}`;
    if (!path.includes("/namespaces/")) created.push(own);
    if (object.status !== undefined) {
      await must(upstream.send("PUT", `${own}/status`, merge(made, { status: object.status })));
    }
  }
  // Upstream's plugins look into caches that follow a moment later.
  await new Promise((resolve) => setTimeout(resolve, 250));
  return created;
}

async function record(upstream: Upstream, each: AdmissionCase, index: number): Promise<Step> {
  const namespace = `case-${index}`;
  const body = { metadata: { name: namespace, labels: each.labels ?? {} } };
  const made = await upstream.send("POST", "/api/v1/namespaces", body);
  if (made.status >= 400) {
    const message = comparable(String(made.body.message).replaceAll(namespace, "x"));
    return { step: "create", code: made.status, message };
  }
  const created = await prepare(upstream, namespace, each.given ?? []);
  const path = (paths[String(each.object.kind)] ?? "").replace("/x/", `/${namespace}/`);
  const { status, body: answer } = await upstream.send("POST", path, each.object);
  for (const own of created) await upstream.send("DELETE", own);
  if (status >= 400) {
    const message = comparable(String(answer.message).replaceAll(namespace, "x"));
    return { step: "create", code: status, message };
  }
  const text = JSON.stringify(withoutServerFields(answer)).replaceAll(namespace, "x");
  return { step: "create", code: status, object: JSON.parse(text) };
}

export async function recordAdmission(): Promise<void> {
  const upstream = await startUpstream(["--allow-privileged=true"]);
  try {
    const lines: string[] = [];
    for (const [index, each] of admissionCases.entries()) {
      const step = await record(upstream, each, index);
      const text = JSON.stringify(step).replace(
        /kube-api-access-[a-z0-9]{5}/g,
        "kube-api-access-?",
      );
      lines.push(`${JSON.stringify(each.name)}:${text}`);
    }
    const path = join(import.meta.dirname, "../testdata/admission.json");
    writeFileSync(path, `{\n${lines.join(",\n")}\n}\n`);
  } finally {
    await upstream.stop();
  }
}
