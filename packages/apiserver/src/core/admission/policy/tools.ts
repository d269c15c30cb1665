/** What both kinds of policy need from outside, and what they are never asked about. */
import type { Authorizer } from "../../authorization/authorizer.ts";
import type { ObjectReader } from "../../object-reader.ts";
import { readTree } from "../../rest/reading.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { isExempt } from "../webhooks/match.ts";
import type { ServedVersions } from "../webhooks/versions.ts";
import type { ParamSource } from "./params.ts";

export interface PolicyTools {
  authorizer: Authorizer;
  served: ServedVersions;
}

/** Questions about who may do what are not for policies to answer. */
const reviews: Record<string, readonly string[]> = {
  "authentication.k8s.io": ["selfsubjectreviews", "tokenreviews"],
  "authorization.k8s.io": [
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "subjectaccessreviews",
  ],
};

export function isPolicyExempt(attributes: AdmissionAttributes): boolean {
  const { group, plural } = attributes.resource;
  return isExempt(attributes) || (reviews[group]?.includes(plural) ?? false);
}

export function paramSource({ served }: PolicyTools, reader: ObjectReader): ParamSource {
  return {
    reader,
    resourceOf(apiVersion, kind) {
      for (const each of served()) {
        const { info } = each;
        if (each.apiVersion !== apiVersion || info.kind !== kind) continue;
        const { group, plural, namespaced } = info;
        return { group, plural, namespaced, read: (object) => readTree(each, object) };
      }
      return undefined;
    },
  };
}

export function byName<T extends { metadata?: { name?: string } }>(items: readonly T[]): T[] {
  const nameOf = ({ metadata }: T) => metadata?.name ?? "";
  return [...items].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
