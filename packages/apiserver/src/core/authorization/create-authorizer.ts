/**
 * The authorizers of a server, in the order of --authorization-mode; system:masters comes first.
 *
 * Source  pkg/kubeapiserver/authorizer/config.go,
 *         staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go
 */
import { forbidden, quoteGo, type StatusError } from "@nanokube/machinery";
import type { ObjectReader } from "../object-reader.ts";
import type {
  AuthorizationAttributes,
  AuthorizationResult,
  Authorizer,
  RulesForUser,
} from "./authorizer.ts";
import { bootstrapPolicy } from "./bootstrap/policy.ts";
import { createNodeAuthorizer } from "./node.ts";
import { createRBAC, type RBAC } from "./rbac.ts";

export const authorizationModes = ["Node", "RBAC", "AlwaysAllow", "AlwaysDeny", "Webhook"] as const;
export type AuthorizationMode = (typeof authorizationModes)[number];

export interface AuthorizerOptions {
  modes: readonly string[];
  reader: ObjectReader;
  /** Those of the modes "Webhook", in their order. */
  webhooks?: readonly Authorizer[];
}

export interface ServerAuthorizer extends Authorizer {
  rulesFor(...call: Parameters<NonNullable<Authorizer["rulesFor"]>>): Promise<RulesForUser>;
  /** The RBAC authorizer, when it is on: role writes are checked against it. */
  rbac?: RBAC | undefined;
  /** Others are asked from now on. */
  renew(options: Pick<AuthorizerOptions, "modes" | "webhooks">): void;
}

const everything = { verbs: ["*"], apiGroups: ["*"], resources: ["*"] };

function createOne(mode: string, reader: ObjectReader): Authorizer {
  const always = (decision: AuthorizationResult["decision"], reason: string): Authorizer => ({
    authorize: async () => ({ decision, reason }),
    rulesFor: async () => ({
      resourceRules: decision === "allow" ? [everything] : [],
      nonResourceRules: decision === "allow" ? [{ verbs: ["*"], nonResourceURLs: ["*"] }] : [],
      incomplete: false,
    }),
  });
  if (mode === "AlwaysAllow") return always("allow", "");
  if (mode === "AlwaysDeny") return always("noOpinion", "Everything is forbidden.");
  if (mode === "RBAC") return createRBAC(reader);
  if (mode === "Node") {
    const role = bootstrapPolicy().clusterRoles.find((one) => one.metadata?.name === "system:node");
    return createNodeAuthorizer(reader, (role as { rules?: [] } | undefined)?.rules ?? []);
  }
  throw new Error(`unknown authorization mode ${mode} specified`);
}

function createAll({ modes, reader, webhooks = [] }: AuthorizerOptions): Authorizer[] {
  const left = [...webhooks];
  return modes.map((mode) => {
    const webhook = mode === "Webhook" ? left.shift() : undefined;
    return webhook ?? createOne(mode, reader);
  });
}

export function createAuthorizer(options: AuthorizerOptions): ServerAuthorizer {
  let { modes } = options;
  let authorizers = createAll(options);
  return {
    get rbac() {
      return authorizers[modes.indexOf("RBAC")] as RBAC | undefined;
    },
    renew(now) {
      authorizers = createAll({ ...options, ...now });
      modes = now.modes;
    },
    async authorize(attributes) {
      if (attributes.user.groups.includes("system:masters")) {
        return { decision: "allow", reason: "" };
      }
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const { decision, reason } = await authorizer.authorize(attributes);
        if (reason !== "") reasons.push(reason);
        if (decision !== "noOpinion") return { decision, reason };
      }
      return { decision: "noOpinion", reason: reasons.join("\n") };
    },
    async rulesFor(user, namespace) {
      const sum: RulesForUser = { resourceRules: [], nonResourceRules: [], incomplete: false };
      const errors: string[] = [];
      for (const authorizer of authorizers) {
        const own = await authorizer.rulesFor?.(user, namespace);
        if (own === undefined) continue;
        sum.resourceRules.push(...own.resourceRules);
        sum.nonResourceRules.push(...own.nonResourceRules);
        sum.incomplete ||= own.incomplete;
        if (own.evaluationError !== undefined) errors.push(own.evaluationError);
      }
      if (errors.length > 0) sum.evaluationError = errors.join(", ");
      return sum;
    },
  };
}

const html: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** User "x" cannot list resource "pods" in API group "" in the namespace "y" */
export function forbiddenMessage(attributes: AuthorizationAttributes): string {
  const { user, verb, path, subresource, namespace, apiGroup } = attributes;
  if (!attributes.resourceRequest) {
    return `User ${quoteGo(user.name)} cannot ${verb} path ${quoteGo(path)}`;
  }
  const resource =
    subresource === "" ? attributes.resource : `${attributes.resource}/${subresource}`;
  const scope =
    namespace === "" ? "at the cluster scope" : `in the namespace ${quoteGo(namespace)}`;
  const what = `cannot ${verb} resource ${quoteGo(resource)} in API group ${quoteGo(apiGroup)}`;
  return `User ${quoteGo(user.name)} ${what} ${scope}`;
}

/** The 403 that a request without permission gets. */
export function forbiddenError(attributes: AuthorizationAttributes, reason: string): StatusError {
  const message = forbiddenMessage(attributes).replace(/[&<>]/g, (char) => html[char] ?? char);
  const resource = { group: attributes.apiGroup, resource: attributes.resource };
  return forbidden(resource, attributes.name, reason === "" ? message : `${message}: ${reason}`);
}
