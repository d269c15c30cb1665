/**
 * Flags with kube-apiserver's names: values, lists, booleans; what is unknown is refused.
 *
 * Shapes  --name=value, --name value, --bool, --bool=false; lists are comma-separated and may
 *         repeat
 * Errors  FlagError with pflag's text
 * Source  github.com/spf13/pflag flag.go, cmd/kube-apiserver/app/options
 */
import { auditFlagKinds } from "./audit-flags.ts";
import { fixedFlagKinds } from "./fixed-flags.ts";

export type FlagKind = "string" | "int" | "bool" | "list" | "repeat" | "map";

export class FlagError extends Error {}

export type Flags = ReadonlyMap<string, readonly string[]>;

/** Flags of kube-apiserver that mean something here. */
export const flagKinds: Readonly<Record<string, FlagKind>> = {
  "etcd-servers": "list",
  "etcd-cafile": "string",
  "etcd-certfile": "string",
  "etcd-keyfile": "string",
  "etcd-prefix": "string",
  "secure-port": "int",
  "bind-address": "string",
  "advertise-address": "string",
  "cert-dir": "string",
  "tls-cert-file": "string",
  "tls-private-key-file": "string",
  "client-ca-file": "string",
  "service-cluster-ip-range": "string",
  "service-node-port-range": "string",
  "service-account-issuer": "list",
  "service-account-key-file": "repeat",
  "service-account-signing-key-file": "string",
  "service-account-extend-token-expiration": "bool",
  "service-account-max-token-expiration": "string",
  "service-account-jwks-uri": "string",
  "api-audiences": "list",
  "authorization-mode": "list",
  "anonymous-auth": "bool",
  "token-auth-file": "string",
  "authentication-config": "string",
  "authentication-token-webhook-config-file": "string",
  "authentication-token-webhook-cache-ttl": "string",
  "authentication-token-webhook-version": "string",
  "oidc-issuer-url": "string",
  "oidc-client-id": "string",
  "oidc-ca-file": "string",
  "oidc-username-claim": "string",
  "oidc-username-prefix": "string",
  "oidc-groups-claim": "string",
  "oidc-groups-prefix": "string",
  "oidc-required-claim": "list",
  "oidc-signing-algs": "list",
  "authorization-config": "string",
  "authorization-webhook-config-file": "string",
  "authorization-webhook-cache-authorized-ttl": "string",
  "authorization-webhook-version": "string",
  "authorization-webhook-cache-unauthorized-ttl": "string",
  "enable-bootstrap-token-auth": "bool",
  "kubelet-client-certificate": "string",
  "kubelet-client-key": "string",
  "kubelet-certificate-authority": "string",
  "kubelet-preferred-address-types": "list",
  "requestheader-client-ca-file": "string",
  "requestheader-allowed-names": "list",
  "requestheader-username-headers": "list",
  "requestheader-uid-headers": "list",
  "requestheader-group-headers": "list",
  "requestheader-extra-headers-prefix": "list",
  "proxy-client-cert-file": "string",
  "proxy-client-key-file": "string",
  "enable-admission-plugins": "list",
  "disable-admission-plugins": "list",
  "admission-control-config-file": "string",
  "runtime-config": "map",
  "feature-gates": "list",
  "storage-media-type": "string",
  ...auditFlagKinds,
  "shutdown-delay-duration": "string",
  "request-timeout": "string",
  "min-request-timeout": "int",
  "event-ttl": "string",
  "max-requests-inflight": "int",
  "max-mutating-requests-inflight": "int",
  "enable-priority-and-fairness": "bool",
  "encryption-provider-config": "string",
  "encryption-provider-config-automatic-reload": "bool",
  "allow-privileged": "bool",
  "enable-aggregator-routing": "bool",
  "endpoint-reconciler-type": "string",
  "apiserver-count": "int",
  "tls-min-version": "string",
  "tls-cipher-suites": "list",
  "disable-http2-serving": "bool",
  "http2-max-streams-per-connection": "int",
  "strict-transport-security-directives": "list",
  "external-hostname": "string",
  "default-not-ready-toleration-seconds": "int",
  "default-unreachable-toleration-seconds": "int",
  ...fixedFlagKinds,
  profiling: "bool",
  v: "int",
  version: "bool",
  help: "bool",
};

export function parseFlags(argv: readonly string[]): Flags {
  const flags = new Map<string, string[]>();
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    const short = /^-([vh])(?:=?(.*))?$/.exec(argument);
    const text =
      short === null
        ? argument
        : `--${short[1] === "h" ? "help" : "v"}${short[2] ? `=${short[2]}` : ""}`;
    if (!text.startsWith("--")) {
      throw new FlagError(`unknown command ${JSON.stringify(argument)} for "kube-apiserver"`);
    }
    const equals = text.indexOf("=");
    const name = equals < 0 ? text.slice(2) : text.slice(2, equals);
    const kind = flagKinds[name];
    if (kind === undefined) throw new FlagError(`unknown flag: --${name}`);
    let value: string;
    if (equals >= 0) value = text.slice(equals + 1);
    else if (kind === "bool") value = "true";
    else {
      const next = argv[++i];
      if (next === undefined) throw new FlagError(`flag needs an argument: --${name}`);
      value = next;
    }
    check(name, kind, value);
    const values = kind === "list" || kind === "map" ? value.split(",").filter(Boolean) : [value];
    if (kind === "string" || kind === "int" || kind === "bool") flags.set(name, values);
    else flags.set(name, [...(flags.get(name) ?? []), ...values]);
  }
  return flags;
}

function check(name: string, kind: FlagKind, value: string): void {
  if (kind === "int" && !/^[+-]?\d+$/.test(value)) {
    throw new FlagError(
      `invalid argument ${JSON.stringify(value)} for "--${name}" flag: strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  }
  if (kind === "bool" && !/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
    throw new FlagError(
      `invalid argument ${JSON.stringify(value)} for "--${name}" flag: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  }
}

export function isTrue(value: string | undefined, fallback: boolean): boolean {
  return value === undefined ? fallback : /^(1|t|true)$/i.test(value);
}
