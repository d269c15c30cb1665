/**
 * AuthenticationConfiguration: whose ID tokens are believed, and where one may come without any.
 *
 * Shapes  apiVersion apiserver.config.k8s.io/v1 (or v1beta1), kind AuthenticationConfiguration
 * Errors  one line a complaint: what stands there wrong, or is not evaluated here (CEL)
 * Source  apiserver pkg/apis/apiserver/{v1/types,validation/validation}.go
 */
export interface JwtIssuer {
  url: string;
  discoveryURL: string | undefined;
  audiences: readonly string[];
  /** PEM; the system's authorities when absent. */
  certificateAuthority: string | undefined;
  algorithms: readonly string[];
  requiredClaims: readonly { claim: string; requiredValue: string }[];
  username: { claim: string; prefix: string };
  groups: { claim: string; prefix: string } | undefined;
  uid: string | undefined;
}

export interface AnonymousConfiguration {
  enabled: boolean;
  /** Only for these paths; for all when absent. */
  paths?: readonly string[];
}

export interface AuthenticationConfiguration {
  jwt: JwtIssuer[];
  anonymous: AnonymousConfiguration | undefined;
}

interface Mapping {
  claim?: string;
  prefix?: string;
  expression?: string;
}

interface Entry {
  issuer?: {
    url?: string;
    discoveryURL?: string;
    audiences?: string[];
    audienceMatchPolicy?: string;
    certificateAuthority?: string;
    egressSelectorType?: string;
  };
  claimValidationRules?: { claim?: string; requiredValue?: string; expression?: string }[];
  claimMappings?: { username?: Mapping; groups?: Mapping; uid?: Mapping; extra?: unknown[] };
  userValidationRules?: unknown[];
}

interface Document {
  apiVersion?: string;
  kind?: string;
  jwt?: Entry[];
  anonymous?: { enabled?: boolean; conditions?: { path?: string }[] };
}

const versions = ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1"];
/** Every algorithm that the flags know; a configuration file takes them all. */
export const signingAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
];

export function readAuthenticationConfiguration(
  tree: unknown,
  complaints: string[],
): AuthenticationConfiguration {
  const document = (tree ?? {}) as Document;
  const { apiVersion = "", kind = "" } = document;
  if (kind !== "AuthenticationConfiguration" || !versions.includes(apiVersion)) {
    const text = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
    complaints.push(text);
    return { jwt: [], anonymous: undefined };
  }
  const jwt = (document.jwt ?? []).map((entry, i) => readIssuer(entry, `jwt[${i}]`, complaints));
  const seen = new Set<string>();
  for (const [i, { url }] of jwt.entries()) {
    if (seen.has(url))
      complaints.push(`jwt[${i}].issuer.url: Duplicate value: ${JSON.stringify(url)}`);
    seen.add(url);
  }
  return { jwt, anonymous: readAnonymous(document.anonymous, complaints) };
}

function readAnonymous(
  anonymous: Document["anonymous"],
  complaints: string[],
): AnonymousConfiguration | undefined {
  if (anonymous === undefined) return undefined;
  const { enabled = false, conditions = [] } = anonymous;
  if (!enabled && conditions.length > 0) {
    complaints.push(
      "anonymous.conditions: Invalid value: []: enabled should be set to true when conditions are defined",
    );
  }
  const paths = conditions.map(({ path = "" }) => path);
  return paths.length === 0 ? { enabled } : { enabled, paths };
}

function readIssuer(entry: Entry, at: string, complaints: string[]): JwtIssuer {
  const { issuer = {}, claimMappings = {}, claimValidationRules = [] } = entry;
  const url = issuer.url ?? "";
  if (url === "") complaints.push(`${at}.issuer.url: Required value: URL is required`);
  else if (!url.startsWith("https://")) {
    complaints.push(
      `${at}.issuer.url: Invalid value: ${JSON.stringify(url)}: URL scheme must be https`,
    );
  }
  const audiences = issuer.audiences ?? [];
  if (audiences.length === 0) {
    complaints.push(
      `${at}.issuer.audiences: Required value: at least one ${at}.issuer.audiences is required`,
    );
  }
  if (issuer.egressSelectorType !== undefined)
    refuse(`${at}.issuer.egressSelectorType`, complaints);
  const { username, groups, uid, extra = [] } = claimMappings;
  const needsCEL = [username, groups, uid].some((one) => one?.expression);
  const hasRules = claimValidationRules.some(({ expression }) => expression);
  if (needsCEL || hasRules || extra.length > 0 || (entry.userValidationRules ?? []).length > 0) {
    refuse(`${at}: CEL expressions`, complaints);
  }
  if (!username?.claim && !username?.expression) {
    complaints.push(
      `${at}.claimMappings.username: Required value: claim or expression is required`,
    );
  } else if (username.claim && username.prefix === undefined) {
    complaints.push(
      `${at}.claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing`,
    );
  }
  return {
    url,
    discoveryURL: issuer.discoveryURL || undefined,
    audiences,
    certificateAuthority: issuer.certificateAuthority || undefined,
    algorithms: signingAlgorithms,
    requiredClaims: claimValidationRules.map(({ claim = "", requiredValue = "" }) => ({
      claim,
      requiredValue,
    })),
    username: { claim: username?.claim ?? "", prefix: username?.prefix ?? "" },
    groups: groups?.claim ? { claim: groups.claim, prefix: groups.prefix ?? "" } : undefined,
    uid: uid?.claim || undefined,
  };
}

function refuse(what: string, complaints: string[]): void {
  complaints.push(`${what} are not evaluated by nanokube`);
}
