/**
 * Records what upstream's authorizers (Node and RBAC) allow on a fresh cluster.
 *
 * Needs upstream's kube-apiserver and etcd (see upstream.ts); writes testdata/access.json: one
 * digit an action, 1 is allowed.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Action, actions, users } from "../strategy-cases/access.ts";
import { startUpstream, type Upstream } from "../upstream.ts";

async function isAllowed(
  upstream: Upstream,
  user: (typeof users)[number],
  action: Action,
): Promise<boolean> {
  const { path, ...resourceAttributes } = action;
  const asked =
    path === undefined
      ? { resourceAttributes }
      : { nonResourceAttributes: { verb: action.verb, path } };
  const { status, body } = await upstream.send(
    "POST",
    "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    { spec: { user: user.name, groups: user.groups, ...asked } },
  );
  if (status >= 400) throw new Error(`${status}: ${body.message}`);
  return (body.status as { allowed: boolean }).allowed;
}

export async function recordAccess(): Promise<void> {
  const upstream = await startUpstream();
  try {
    const recording: Record<string, string> = {};
    for (const user of users) {
      const answers = await Promise.all(actions.map((action) => isAllowed(upstream, user, action)));
      recording[user.name] = answers.map((answer) => (answer ? "1" : "0")).join("");
    }
    const path = join(import.meta.dirname, "../testdata/access.json");
    writeFileSync(path, `${JSON.stringify(recording, null, 1)}\n`);
  } finally {
    await upstream.stop();
  }
}
