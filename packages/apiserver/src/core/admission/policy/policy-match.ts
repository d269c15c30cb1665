/**
 * Which requests a policy, or one of its bindings, is about.
 *
 * Source  apiserver pkg/admission/plugin/policy/matching/matching.go
 */
import type { MatchResources } from "@nanokube/api/admissionregistration/v1";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { matchRules, namespaceMatches, objectMatches } from "../webhooks/match.ts";
import { type Match, type ServedVersions, unconverted } from "../webhooks/versions.ts";

export async function policyMatch(
  match: MatchResources | undefined,
  attributes: AdmissionAttributes,
  reader: ObjectReader,
  served: ServedVersions,
): Promise<Match | undefined> {
  if (match === undefined) return unconverted(attributes);
  const { resourceRules = [], excludeResourceRules = [], matchPolicy } = match;
  if (await matchRules(excludeResourceRules, matchPolicy, attributes, served)) return undefined;
  const found =
    resourceRules.length === 0
      ? unconverted(attributes)
      : await matchRules(resourceRules, matchPolicy, attributes, served);
  if (found === undefined || !objectMatches(match.objectSelector, attributes)) return undefined;
  const isThere = await namespaceMatches(match.namespaceSelector, attributes, reader);
  return isThere ? found : undefined;
}
