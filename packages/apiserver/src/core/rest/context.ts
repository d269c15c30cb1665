/**
 * What flows through the REST path: one request, the resource it is for, and what the server lends.
 *
 * Shapes  ApiResponse.body   bytes when the answer is known, a Stream when it goes on (watch, logs)
 */
import type { ResourceInfo } from "@nanokube/api";
import type { Clock, FieldError, KubeObject, Log, MapSchema, Random } from "@nanokube/machinery";
import type { DisabledFields } from "../../resources/disabled-fields.ts";
import type { AdmissionAttributes, Annotate } from "../admission/plugin.ts";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { ListItems } from "../cache/kept-lists.ts";
import type { ResourceCache } from "../cache/resource-cache.ts";
import type { FeatureGates } from "../feature-gates.ts";
import type { RequestInfo } from "../request-info.ts";
import type { ObjectStore } from "../storage/store.ts";
import type { ResourceStrategy } from "../strategy.ts";
import type { MediaType } from "../wire/negotiation.ts";
import type { Reading } from "./reading.ts";

export interface ApiRequest {
  method: string;
  /** Path without the query. */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** The values of a header that was sent several times, apart. */
  headerValues?: (name: string) => readonly string[];
  /** Reads the whole body; throws 413 when it is too large. */
  body(): Promise<Uint8Array>;
  signal: AbortSignal;
  /** The caller as the transport already knows it (in-memory transport). */
  user?: UserInfo;
  /** DER of the verified client certificate. */
  peerCertificate?: Uint8Array;
  /** Where the connection comes from; absent for callers in this process. */
  sourceIP?: string;
}

/** Where a stream's bytes go. */
export interface Sink {
  write(chunk: Uint8Array): void;
  /** Bytes the receiver has not taken yet. */
  readonly pendingBytes: number;
  end(): void;
  /** Ends the connection without a proper end: the receiver was too slow or is gone. */
  destroy(): void;
}

export type Stream = (sink: Sink) => void;

export interface ApiResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | Stream;
  /** What the body of a list consists of: other answers have the same items. */
  list?: { head: Uint8Array; items: ListItems; tail: Uint8Array };
}

export interface CustomVersion {
  applySchema: MapSchema;
  convert(tree: KubeObject): Promise<KubeObject>;
}

/** What a CustomResourceDefinition adds to the path. */
export interface CustomBehaviour {
  /** Its definition is being deleted: nothing new is taken in. */
  isEnding(): boolean;
  /** Drops what the schema does not know; the dropped paths, for strict decoding. */
  prune(object: KubeObject): string[];
  applySchema: MapSchema;
  /** Another version of the kind, for what was managed there; undefined when it is gone. */
  version(apiVersion: string): CustomVersion | undefined;
  /** spec.versions[].schema.openAPIV3Schema, for OpenAPI. */
  schema: { [key: string]: unknown } | undefined;
  /** Where a custom resource keeps what the scale subresource shows. */
  scale:
    | { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
    | undefined;
}

export interface ServedResource {
  info: ResourceInfo;
  strategy: ResourceStrategy;
  cache: ResourceCache;
  /** Upstream's registered type; absent for custom resources. */
  typeName: string | undefined;
  custom: CustomBehaviour | undefined;
  /** "v1", "apps/v1": the version on the wire here. */
  apiVersion: string;
  /** The version in which the store holds it. */
  storageVersion: string;
  /** A promise where a webhook converts. */
  toStorage(object: KubeObject): KubeObject | Promise<KubeObject>;
  fromStorage(object: KubeObject): KubeObject;
  /** Custom resources: how stored objects come to be in this version. */
  reading?: Reading;
}

export interface AdmissionChain {
  admit(attributes: AdmissionAttributes): Promise<void>;
  validate(attributes: AdmissionAttributes): Promise<void>;
}

/** Allocations and the like that belong to one write. */
export interface Reservation {
  /** The write is stored. */
  done(): Promise<void>;
  /** It is not. */
  undo(): Promise<void>;
}

export interface WriteHooks {
  /** May complete the object (cluster IPs). */
  beginCreate?(object: KubeObject, dryRun: boolean): Promise<Reservation>;
  beginUpdate?(object: KubeObject, old: KubeObject, dryRun: boolean): Promise<Reservation>;
  /** What the caller may not change, besides what may not be changed at all. */
  authorizeUpdate?(
    context: RestContext,
    object: KubeObject,
    old: KubeObject,
  ): Promise<FieldError[]>;
  /** The first request to delete it: may add finalizers. */
  beginDelete?(object: KubeObject): void;
  afterDelete?(object: KubeObject): Promise<void>;
}

/** What the flags say of how long things last. */
export interface TimeLimits {
  /** Of a request that is no watch and the like. */
  requestTimeoutMs: number;
  /** Watches that name no time end after one to two times as much. */
  watchTimeoutMinSeconds: number;
  /** Events are forgotten after this time. */
  eventTTLSeconds: number;
}

/** Upstream's. */
export const usualTimeLimits: TimeLimits = {
  requestTimeoutMs: 60_000,
  watchTimeoutMinSeconds: 1800,
  eventTTLSeconds: 3600,
};

export interface RestServer {
  limits: TimeLimits;
  gates: FeatureGates;
  /** Of gates that are off. */
  disabledFields: DisabledFields;
  store: ObjectStore;
  clock: Clock;
  random: Random;
  log: Log;
  admission: AdmissionChain;
  authorizer: Authorizer;
  hooksFor(resource: ServedResource): WriteHooks;
  lookup(group: string, version: string, plural: string): ServedResource | undefined;
  /** Every resource served now. */
  served(): Iterable<ServedResource>;
}

export interface RestContext {
  request: ApiRequest;
  info: RequestInfo;
  resource: ServedResource;
  server: RestServer;
  user: UserInfo;
  output: MediaType;
  /** Warning headers of the answer. */
  warnings: Set<string>;
  /** Says something to the audit log; absent where nothing is written down. */
  annotate?: Annotate | undefined;
}

export function groupResourceOf(context: RestContext): { group: string; resource: string } {
  return { group: context.info.apiGroup, resource: context.info.resource };
}

/** The namespace of the object, "" for cluster-scoped kinds (namespaces included). */
export function namespaceOf(context: RestContext): string {
  return context.resource.info.namespaced ? context.info.namespace : "";
}
