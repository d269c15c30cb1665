/**
 * AuthenticationConfiguration: whose ID tokens are believed, and where one may come without any.
 *
 * Shapes  apiVersion apiserver.config.k8s.io/v1 (or v1beta1), kind AuthenticationConfiguration
 * Errors  field errors in upstream's words
 * Source  apiserver pkg/apis/apiserver/{v1/types,validation/validation}.go
 */
import {
  duplicate,
  type FieldError,
  FieldPath,
  invalidValue,
  required,
  tooMany,
} from "@nanokube/machinery";
import type {
  AnonymousConfiguration,
  AuthenticationDocument,
  Entry,
  IssuerDocument,
  Mapping,
} from "./authentication-document.ts";
import type { ClaimExpressions } from "./claim-expressions.ts";
import type { JwtIssuer } from "./jwt-issuer.ts";
import { ClaimReader } from "./read-claims.ts";
import { signingAlgorithms } from "./signing-algorithms.ts";

export interface AuthenticationConfiguration {
  jwt: JwtIssuer[];
  anonymous: AnonymousConfiguration | undefined;
}

const versions = ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1"];
const issuersMax = 64;

/** @param ownIssuers those of service accounts, whose tokens are not for others to interpret */
export function readAuthenticationConfiguration(
  tree: unknown,
  ownIssuers: readonly string[],
): { configuration: AuthenticationConfiguration; problems: string[] } {
  const document = (tree ?? {}) as AuthenticationDocument;
  const { apiVersion = "", kind = "", jwt = [], anonymous } = document;
  const nothing = { jwt: [], anonymous: undefined };
  if (kind !== "AuthenticationConfiguration" || !versions.includes(apiVersion)) {
    const text = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
    return { configuration: nothing, problems: [text] };
  }
  const root = FieldPath.root("jwt");
  if (jwt.length > issuersMax) {
    const problems = [String(tooMany(root, jwt.length, issuersMax))];
    return { configuration: nothing, problems };
  }
  const errors: FieldError[] = [];
  const seen = { url: new Set<string>(), discoveryURL: new Set<string>() };
  const issuers = jwt.map((entry, i) => {
    const at = root.index(i);
    const issuer = readIssuer(entry, at, ownIssuers, errors);
    for (const name of ["url", "discoveryURL"] as const) {
      const value = entry.issuer?.[name] ?? "";
      if (name === "discoveryURL" && value === "") continue;
      if (seen[name].has(value)) errors.push(duplicate(at.child("issuer", name), value));
      seen[name].add(value);
    }
    return issuer;
  });
  const configuration = { jwt: issuers, anonymous: readAnonymous(anonymous, errors) };
  return { configuration, problems: errors.map(String) };
}

function readAnonymous(
  anonymous: AuthenticationDocument["anonymous"],
  errors: FieldError[],
): AnonymousConfiguration | undefined {
  if (anonymous === undefined) return undefined;
  const { enabled = false, conditions = [] } = anonymous;
  if (!enabled && conditions.length > 0) {
    const shown = conditions.map(({ path = "" }) => ({ Path: path }));
    const path = FieldPath.root("anonymous", "conditions");
    const why = "enabled should be set to true when conditions are defined";
    errors.push(invalidValue(path, shown, why));
  }
  const paths = conditions.map(({ path = "" }) => path);
  return paths.length === 0 ? { enabled } : { enabled, paths };
}

function readIssuer(
  entry: Entry,
  at: FieldPath,
  ownIssuers: readonly string[],
  errors: FieldError[],
): JwtIssuer {
  const { issuer = {}, claimMappings = {}, claimValidationRules = [] } = entry;
  errors.push(...validateIssuer(issuer, at.child("issuer"), ownIssuers));
  const reader = new ClaimReader(errors);
  const expressions: ClaimExpressions = { extra: [], claimRules: [], userRules: [] };
  expressions.claimRules = reader.claimRules(entry, at.child("claimValidationRules"));
  reader.mappings(claimMappings, at.child("claimMappings"), expressions);
  expressions.userRules = reader.userRules(entry, at.child("userValidationRules"));
  const { username, groups, uid } = claimMappings;
  const prefixed = (one: Mapping | undefined) =>
    one?.claim ? { claim: one.claim, prefix: one.prefix ?? "" } : undefined;
  return {
    url: issuer.url ?? "",
    discoveryURL: issuer.discoveryURL || undefined,
    audiences: issuer.audiences ?? [],
    certificateAuthority: issuer.certificateAuthority || undefined,
    algorithms: signingAlgorithms,
    requiredClaims: claimValidationRules.flatMap(({ claim, requiredValue = "" }) =>
      claim ? [{ claim, requiredValue }] : [],
    ),
    username: prefixed(username),
    groups: prefixed(groups),
    uid: uid?.claim || undefined,
    ...(isUsed(expressions) ? { expressions } : {}),
  };
}

function isUsed({
  username,
  groups,
  uid,
  extra,
  claimRules,
  userRules,
}: ClaimExpressions): boolean {
  const lists: readonly (readonly unknown[])[] = [extra, claimRules, userRules];
  return lists.some((list) => list.length > 0) || [username, groups, uid].some(Boolean);
}

function validateIssuer(
  { url = "", discoveryURL = "", audiences = [], ...rest }: IssuerDocument,
  at: FieldPath,
  ownIssuers: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (url === "") errors.push(required(at.child("url")));
  else errors.push(...validateURL(url, at.child("url"), ownIssuers));
  if (discoveryURL !== "") {
    const path = at.child("discoveryURL");
    const bare = (text: string) => text.replace(/\/+$/u, "");
    if (url !== "" && bare(url) === bare(discoveryURL)) {
      errors.push(invalidValue(path, discoveryURL, "discoveryURL must be different from URL"));
    }
    errors.push(...validateURL(discoveryURL, path, []));
  }
  errors.push(...validateAudiences(audiences, rest.audienceMatchPolicy ?? "", at));
  if (rest.egressSelectorType) {
    const path = at.child("egressSelectorType");
    const known = ["controlplane", "cluster"].includes(rest.egressSelectorType);
    const why = known
      ? "nanokube has no egress selectors"
      : "egress selector must be either controlplane or cluster";
    errors.push(invalidValue(path, rest.egressSelectorType, why));
  }
  return errors;
}

function validateURL(text: string, path: FieldPath, ownIssuers: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (why: string) => void errors.push(invalidValue(path, text, why));
  if (ownIssuers.includes(text)) {
    const own = ownIssuers.toSorted().join(" ");
    refuse(`URL must not overlap with disallowed issuers: [${own}]`);
  }
  const [, scheme = ""] = /^([a-zA-Z][a-zA-Z0-9+.-]*):/u.exec(text) ?? [];
  if (scheme.toLowerCase() !== "https") refuse("URL scheme must be https");
  const [, authority = "", query = "", fragment = ""] =
    /^(?:[^:/?#]+:)?(?:\/\/([^/?#]*))?[^?#]*(\?[^#]*)?(#.*)?$/u.exec(text) ?? [];
  if (authority.includes("@")) refuse("URL must not contain a username or password");
  if (query.length > 1) refuse("URL must not contain a query");
  if (fragment.length > 1) refuse("URL must not contain a fragment");
  return errors;
}

function validateAudiences(audiences: readonly string[], policy: string, at: FieldPath) {
  const path = at.child("audiences");
  if (audiences.length === 0) return [required(path, `at least one ${path} is required`)];
  const errors: FieldError[] = [];
  for (const [i, audience] of audiences.entries()) {
    if (audience === "") errors.push(required(path.index(i)));
    if (audiences.indexOf(audience) < i) errors.push(duplicate(path.index(i), audience));
  }
  if (policy === "MatchAny" || (audiences.length === 1 && policy === "")) return errors;
  const why =
    audiences.length > 1
      ? "audienceMatchPolicy must be MatchAny for multiple audiences"
      : "audienceMatchPolicy must be empty or MatchAny for single audience";
  errors.push(invalidValue(at.child("audienceMatchPolicy"), policy, why));
  return errors;
}
