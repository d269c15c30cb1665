/**
 * NamespaceLifecycle: nothing is created in a namespace that is missing or on its way out, and the
 * namespaces every cluster needs stay.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go
 */
import { forbidden, notFound, StatusError } from "@nanokube/machinery";
import type { AdmissionPlugin } from "./plugin.ts";
import { refuse } from "./refuse.ts";

const immortal = ["default", "kube-system", "kube-public"];

export const namespaceLifecycle: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  handles: ({ operation }) => operation !== "CONNECT",
  async admit(attributes, reader) {
    const { operation, resource, namespace, name } = attributes;
    if (resource.group === "" && resource.plural === "namespaces") {
      if (operation === "DELETE" && immortal.includes(name)) {
        const why = "this namespace may not be deleted";
        throw forbidden({ group: "", resource: "namespaces" }, name, why);
      }
      return;
    }
    if (!resource.namespaced || namespace === "" || operation === "DELETE") return;
    if (resource.plural === "localsubjectaccessreviews") return;
    const found = await reader.get("", "namespaces", "", namespace);
    if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
    const { phase } = (found.status ?? {}) as { phase?: string };
    if (operation !== "CREATE" || phase !== "Terminating") return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const { status } = refuse(attributes, why);
    const cause = {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    };
    throw new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
  },
};
