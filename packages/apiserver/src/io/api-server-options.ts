/** What an API server is made from. */
import type { Clock, Log, Random } from "@nanokube/machinery";
import type { Channel } from "@nanokube/rpc";
import type { ImagePolicy } from "../core/admission/image-policy-webhook.ts";
import type { TolerationSeconds } from "../core/admission/tolerations.ts";
import type { Auditor } from "../core/audit/trail.ts";
import type { UserInfo } from "../core/authentication/authenticator.ts";
import type { RequestHeaderNames } from "../core/authentication/request-header.ts";
import type { FeatureGates } from "../core/feature-gates.ts";
import type { StorageMediaType } from "../core/registry.ts";
import type { TimeLimits } from "../core/rest/context.ts";
import type { PortRange } from "../core/service/node-ports.ts";
import type { AccessOptions } from "./access-options.ts";
import type { CertificateFiles } from "./certificate-files.ts";
import type { Encryption } from "./encryption.ts";
import type { ServingOptions } from "./serving-flags.ts";

export interface ApiServerPKI {
  /** PEM bundle of the CAs whose certificates are users. */
  clientCA?: string;
  servingCert?: string;
  servingKey?: string;
  /** PEM private key that signs service-account tokens. */
  serviceAccountSigningKey?: string;
  /** More PEM keys (public or private) whose tokens are accepted. */
  serviceAccountKeys?: readonly string[];
  kubeletClientCert?: string;
  kubeletClientKey?: string;
  /** PEM of the CA of kubelets; absent: their certificates are not checked, as upstream. */
  kubeletCA?: string;
  requestHeaderCA?: string;
  /** What this server shows to servers behind it (APIServices). */
  proxyClientCert?: string;
  proxyClientKey?: string;
}

export const endpointReconcilerTypes = ["lease", "master-count", "none"] as const;
export type EndpointReconcilerType = (typeof endpointReconcilerTypes)[number];

export interface AdmissionOptions {
  /** How long pods stay on a node that is not ready, or unreachable; five minutes unless told. */
  tolerationSeconds?: TolerationSeconds;
  enable?: readonly string[];
  disable?: readonly string[];
  /** What plugins are told, by their names. */
  configurations?: ReadonlyMap<string, unknown>;
  imagePolicy?: ImagePolicy;
}

export interface ApiServerOptions {
  etcd: Channel;
  clock: Clock;
  random: Random;
  log: Log;
  serviceClusterIPRange: string;
  advertiseAddress: string;
  /** Pods and nodes are processes beside this one: proxies may lead to 127.0.0.1. */
  proxiesToLoopback?: boolean;
  /** Where clients reach this server; the listeners' port when absent. */
  advertisePort?: number;
  pki: ApiServerPKI;
  /** "Node", "RBAC", "AlwaysAllow", "AlwaysDeny", in order. */
  authorizationMode: readonly string[];
  admission?: AdmissionOptions;
  serviceAccountIssuer: string;
  /** Others whose tokens are accepted too, as long as they live. */
  acceptedIssuers?: readonly string[];
  serviceAccountTokens?: {
    /** A token lives at most so long. */
    maxExpirationSeconds?: number;
    /** A kubelet's token lives for a year and only warns; it does unless told. */
    extendExpiration?: boolean;
    /** Where the keys are; this server unless told. */
    jwksURI?: string;
  };
  apiAudiences?: readonly string[];
  /** Token → user. */
  tokens?: ReadonlyMap<string, UserInfo>;
  anonymous?: boolean;
  /** Other issuers, webhooks, and where anonymous requests may go. */
  access?: AccessOptions;
  requestHeaderAllowedNames?: readonly string[];
  /** X-Remote-User and its kin unless told. */
  requestHeaders?: RequestHeaderNames;
  /** How listeners speak. */
  serving?: ServingOptions;
  /** What this server is called from outside; its address unless told. */
  externalHostName?: string | undefined;
  /** How the kubernetes Service gets this server's address; "lease" unless told. */
  endpointReconciler?: EndpointReconcilerType;
  /** With "master-count": how many servers there are; 1 unless told. */
  serverCount?: number;
  /** Tokens in Secrets of kube-system; on unless told. */
  bootstrapTokens?: boolean;
  /** 30000-32767 unless told. */
  nodePortRange?: PortRange;
  /** Connect to endpoints of APIServices' Services, not to their cluster IPs. */
  aggregatorRouting?: boolean;
  runtimeConfig?: Readonly<Record<string, boolean>>;
  /** Upstream's defaults unless told. */
  featureGates?: FeatureGates;
  storageMediaType?: StorageMediaType;
  /** Requests at work at once; 400, 200 and fair unless told. */
  overload?: { readOnlyMax?: number; mutatingMax?: number; fairness?: boolean };
  /** Called when somebody changes --v under /debug/flags; absent: nobody can. */
  setVerbosity?: (verbosity: number) => void;
  /** --v as it is now; from 3 on every request is logged. */
  verbosity?: () => number;
  /** Paths under /debug; there unless told. */
  profiling?: boolean;
  /** How long requests, watches and events last; upstream's unless told. */
  limits?: Partial<TimeLimits>;
  /** Where certificates came from: they are read again when they change. */
  servingFiles?: CertificateFiles;
  /** Privileged containers; unless told they are left to Pod Security. */
  allowPrivileged?: boolean;
  /** Where keys begin; "/registry" unless told. */
  etcdPrefix?: string;
  /** What is written down of requests. */
  audit?: Auditor;
  /** Values are sealed in the store. */
  encryption?: Encryption;
}
