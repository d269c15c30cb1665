/**
 * NamespaceAutoProvision, on request: whoever creates something in a namespace that is not there
 * gets the namespace too.
 *
 * Source  plugin/pkg/admission/namespace/autoprovision/admission.go
 */
import { type KubeObject, StatusError } from "@nanokube/machinery";
import type { AdmissionPlugin } from "./plugin.ts";
import { refuse } from "./refuse.ts";

export type NamespaceMaker = (namespace: KubeObject) => Promise<unknown>;

export function createNamespaceAutoProvision(make: NamespaceMaker | undefined): AdmissionPlugin {
  return {
    name: "NamespaceAutoProvision",
    handles: ({ operation, namespace, resource, dryRun }) =>
      operation === "CREATE" &&
      !dryRun &&
      namespace !== "" &&
      !(resource.group === "" && resource.plural === "namespaces"),
    async admit(attributes, reader) {
      const { namespace: name } = attributes;
      if ((await reader.get("", "namespaces", "", name)) !== undefined) return;
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
      try {
        await make?.(namespace);
      } catch (error) {
        if (error instanceof StatusError && error.reason === "AlreadyExists") return;
        throw refuse(attributes, (error as Error).message);
      }
    },
  };
}
