/**
 * ServiceAccount: who a pod is to the API.
 *
 * Source  pkg/registry/core/serviceaccount/strategy.go
 */
import type { ServiceAccount } from "@nanokube/api/core/v1";
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { kind } from "../generic.ts";

const enforceMountable = "kubernetes.io/enforce-mountable-secrets";

/** Of a reference to a Secret only the name is kept. */
function keepNames(object: KubeObject): void {
  const account = object as ServiceAccount;
  account.secrets = account.secrets?.map(({ name }) => (name === undefined ? {} : { name }));
  if (account.secrets === undefined) delete account.secrets;
}

export const serviceAccountStrategy: ResourceStrategy = kind(
  { updateMeta: ["update", "whole"] },
  {
    prepareForCreate: keepNames,
    prepareForUpdate: keepNames,
    warnings(object, old) {
      const has = (one: KubeObject | undefined): boolean =>
        one?.metadata?.annotations?.[enforceMountable] !== undefined;
      if (!has(object) || has(old)) return [];
      return [
        `metadata.annotations[${enforceMountable}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
      ];
    },
  },
);
