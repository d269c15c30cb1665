/**
 * The annotation that old clients roll back with: the template of an earlier revision is the
 * Deployment's again, and so are that revision's annotations.
 *
 * Source  pkg/controller/deployment/rollback.go
 */
import type { Deployment } from "@nanokube/api/apps/v1";
import { deployments } from "@nanokube/client";
import { note, type Steps, update } from "../steps.ts";
import { isOwnAffair } from "./annotations.ts";
import { parseRevision, revisionOf } from "./replica-sets.ts";
import { allSets, type Rollout, syncRevision } from "./rollout.ts";
import { sameTemplate, templateHashLabel } from "./template-hash.ts";

const annotation = "deprecated.deployment.rollback.to";

/** The revision that is asked for; 0 is the one before. undefined: nothing is, or no number. */
export function rollbackTo(d: Deployment): bigint | undefined {
  return parseRevision(d.metadata?.annotations?.[annotation] ?? "");
}

/** The wish is taken off, whatever came of it. */
function* settle(d: Deployment): Steps {
  const annotations = { ...d.metadata?.annotations };
  delete annotations[annotation];
  yield* update(deployments, { ...d, metadata: { ...d.metadata, annotations } });
}

export function* rollBack(rollout: Rollout, wanted: bigint): Steps {
  yield* syncRevision(rollout, true);
  const { d } = rollout;
  const sets = allSets(rollout);
  const revisions = sets.map((rs) => revisionOf(rs) ?? 0n).sort((a, b) => (a < b ? 1 : -1));
  const revision = wanted === 0n ? (revisions[1] ?? 0n) : wanted;
  if (revision === 0n) {
    yield* note(
      d,
      "Warning",
      "DeploymentRollbackRevisionNotFound",
      "Unable to find last revision.",
    );
    yield* settle(d);
    return;
  }
  const found = sets.find((rs) => revisionOf(rs) === revision);
  if (found === undefined) {
    const text = "Unable to find the revision to rollback to.";
    yield* note(d, "Warning", "DeploymentRollbackRevisionNotFound", text);
    yield* settle(d);
    return;
  }
  const name = d.metadata?.name;
  if (sameTemplate(found.spec?.template, d.spec?.template)) {
    const text = `The rollback revision contains the same template as current deployment "${name}"`;
    yield* note(d, "Warning", "DeploymentRollbackTemplateUnchanged", text);
    yield* settle(d);
    return;
  }
  const { template = {} } = found.spec ?? {};
  const labels = { ...template.metadata?.labels };
  delete labels[templateHashLabel];
  const kept = Object.entries(d.metadata?.annotations ?? {}).filter(([key]) => isOwnAffair(key));
  const its = Object.entries(found.metadata?.annotations ?? {}).filter(
    ([key]) => !isOwnAffair(key),
  );
  yield* settle({
    ...d,
    metadata: { ...d.metadata, annotations: Object.fromEntries([...kept, ...its]) },
    spec: { ...d.spec, template: { ...template, metadata: { ...template.metadata, labels } } },
  });
  const text = `Rolled back deployment "${name}" to revision ${revision}`;
  yield* note(d, "Normal", "DeploymentRollback", text);
}
