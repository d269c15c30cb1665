/**
 * POST pods/binding (and the old POST bindings): the scheduler's decision becomes the pod's node.
 *
 * @hop apiserver.bind: a pod gets its node
 * Errors  400 wrong target, 409 already assigned or being deleted
 * Source  pkg/registry/core/pod/storage/storage.go (BindingREST)
 */
import type { Binding, Pod } from "@nanokube/api/core/v1";
import {
  aggregateFieldErrors,
  conflict,
  genericStatus,
  type KubeObject,
  notSupported,
  required,
} from "@nanokube/machinery";
import type { ApiResponse, RestContext } from "../context.ts";
import { decodeBody } from "../decode-body.ts";
import { ensureNamespace, metadataOf, timestamp } from "../object-meta.ts";
import { parseWriteOptions } from "../options.ts";
import { respondWithTree } from "../respond.ts";
import { changeObject } from "../update.ts";

const bindingType = "io.k8s.api.core.v1.Binding";
const statusType = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";

export async function bind(context: RestContext): Promise<ApiResponse> {
  const options = parseWriteOptions(context.request.query, "CreateOptions");
  const expected = { apiVersion: "v1", kind: "Binding", typeName: bindingType };
  const binding = (await decodeBody(context, expected, options.fieldValidation)) as Binding;
  ensureNamespace(context, binding as KubeObject);
  validate(binding);
  const { server, info } = context;
  const { resource } = context;
  await server.admission.admit({
    operation: "CREATE",
    resource: resource.info,
    subresource: "binding",
    namespace: info.namespace,
    name: info.name,
    user: context.user,
    dryRun: options.dryRun,
    object: binding as KubeObject,
    options: options.object,
    warn: (text) => context.warnings.add(text),
    annotate: context.annotate,
  });
  await changeObject(
    context,
    {
      uid: binding.metadata?.uid || undefined,
      createsWhenAbsent: false,
      keepsTrying: true,
      isOwn: true,
      apply: (current) => assign(context, current as Pod, binding) as KubeObject,
    },
    options,
  );
  const answer = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  return respondWithTree(context, 201, answer, statusType);
}

/** Upstream answers these as plain errors. */
function validate(binding: Binding): void {
  const errors = [];
  const kind = binding.target?.kind ?? "";
  if (kind !== "" && kind !== "Node") {
    errors.push(notSupported("target.kind", kind, ["Node", "<empty>"]));
  }
  if (!binding.target?.name) errors.push(required("target.name", ""));
  if (errors.length > 0) throw genericStatus(500, "", aggregateFieldErrors(errors));
}

function assign(context: RestContext, current: Pod, binding: Binding): Pod {
  const pod = structuredClone(current);
  const meta = metadataOf(pod as KubeObject);
  const gr = { group: "", resource: "pods/binding" };
  const node = binding.target?.name ?? "";
  if (meta.deletionTimestamp) {
    throw conflict(
      gr,
      context.info.name,
      `pod ${meta.name} is being deleted, cannot be assigned to a host`,
    );
  }
  const assigned = pod.spec?.nodeName ?? "";
  if (assigned !== "") {
    throw conflict(
      gr,
      context.info.name,
      `pod ${meta.name} is already assigned to node "${assigned}"`,
    );
  }
  if ((pod.spec?.schedulingGates ?? []).length > 0) {
    throw conflict(gr, context.info.name, `pod ${meta.name} has non-empty .spec.schedulingGates`);
  }
  pod.spec = { ...pod.spec, nodeName: node } as NonNullable<Pod["spec"]>;
  const annotations = binding.metadata?.annotations;
  if (annotations !== undefined) meta.annotations = { ...meta.annotations, ...annotations };
  const labels = binding.metadata?.labels;
  const areCopied = context.server.gates.isOn("PodTopologyLabelsAdmission");
  if (labels !== undefined && areCopied) meta.labels = { ...meta.labels, ...labels };
  const conditions = (pod.status?.conditions ?? []).filter((c) => c.type !== "PodScheduled");
  conditions.push({
    type: "PodScheduled",
    status: "True",
    lastTransitionTime: timestamp(context.server.clock),
  });
  pod.status = { ...pod.status, conditions };
  return pod;
}
