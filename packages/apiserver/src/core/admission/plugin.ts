/**
 * Admission: plugins that may change an object before validation, and refuse it after.
 *
 * Errors  whatever a plugin throws is the answer (a StatusError, usually 403 or 422)
 * Source  staging/src/k8s.io/apiserver/pkg/admission/interfaces.go
 */

import type { ResourceInfo } from "@nanokube/api";
import type { KubeObject } from "@nanokube/machinery";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { ObjectReader } from "../object-reader.ts";

/** "Request": only where requests are written down whole. */
export type Annotate = (key: string, value: string, level?: "Request") => void;

export interface AdmissionAttributes {
  operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  resource: ResourceInfo;
  /** What the request named, when `resource` is another version of it. */
  requested?: ResourceInfo;
  subresource: string;
  namespace: string;
  name: string;
  user: UserInfo;
  dryRun: boolean;
  /** The new object; absent for DELETE. Plugins change it in place when mutating. */
  object?: KubeObject;
  oldObject?: KubeObject;
  /** Create, update or delete options as they came; null for CONNECT. */
  options: KubeObject | null;
  warn(text: string): void;
  /** Says something to the audit log. */
  annotate?: Annotate | undefined;
}

/** Going through the plugins once, or again because a webhook changed the object. */
export interface AdmissionPass {
  isSecond: boolean;
  /** Set by webhooks: what came before them should look again. */
  needsSecond: boolean;
  /** Webhooks that were asked and may be asked again, and those that must be. */
  reinvocable: Set<string>;
  toReinvoke: Set<string>;
  /** The object as webhooks left it. */
  remember(object: KubeObject | undefined): void;
  changedSince(object: KubeObject | undefined): boolean;
}

/** Both may throw or reject; who has nothing to wait for returns nothing. */
export interface AdmissionPlugin {
  name: string;
  handles(attributes: AdmissionAttributes): boolean;
  admit?(
    attributes: AdmissionAttributes,
    reader: ObjectReader,
    pass: AdmissionPass,
  ): Promise<void> | void;
  validate?(attributes: AdmissionAttributes, reader: ObjectReader): Promise<void> | void;
}
