/**
 * What the generic REST path cannot know about one kind.
 *
 * The path itself (decode → default → prepare → admit → validate → store) is the same for every
 * resource; a strategy holds the few functions that differ. Objects are wire-JSON trees and may be
 * changed in place by `default` and `prepare…`, never by `validate…`.
 *
 * Source  pkg/registry/<group>/<kind>/strategy.go, pkg/apis/<group>/<version>/defaults.go,
 *         pkg/apis/<group>/validation, pkg/printers/internalversion/printers.go
 */

import type { FieldError, KubeObject } from "@nanokube/machinery";
import type { UserInfo } from "./authentication/authenticator.ts";

export interface StrategyContext {
  /** Milliseconds since the epoch. */
  now: number;
  /** "" for the main resource, else "status", "scale", "resize", … */
  subresource: string;
  namespace: string;
  user: string;
  /** The same user whole, for kinds that record who asked (certificate requests). */
  userInfo?: UserInfo;
  /** The labels of the object's namespace. */
  namespaceLabels?(): Readonly<Record<string, string>>;
  /** Whether a feature gate is on; as by default when absent. */
  isOn?(gate: string): boolean;
}

export interface Column {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  format?: string;
  description: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  priority: number;
}

export interface ResourceStrategy {
  default?(object: KubeObject): void;
  prepareForCreate?(object: KubeObject, context: StrategyContext): void;
  /** Resets what this (sub)resource may not change, and raises `metadata.generation`. */
  prepareForUpdate?(object: KubeObject, old: KubeObject, context: StrategyContext): void;
  validate?(object: KubeObject, context: StrategyContext): FieldError[];
  validateUpdate?(object: KubeObject, old: KubeObject, context: StrategyContext): FieldError[];
  warnings?(object: KubeObject, old?: KubeObject): string[];
  /** Fields other than metadata.name and metadata.namespace that field selectors may use. */
  selectableFields?(object: KubeObject): Record<string, string>;
  /** What a version calls the fields that selectors may use, where the stored names are others. */
  fieldLabels?(apiVersion: string): Readonly<Record<string, string>> | undefined;
  /** What is said of a selector by another field, where the kind words it its own way. */
  unknownField?(field: string, apiVersion: string): string;
  columns?: readonly Column[];
  row?(object: KubeObject, now: number): unknown[];
  /** Seconds a deletion waits unless the caller says otherwise; undefined deletes at once. */
  gracePeriodSeconds?(object: KubeObject, asked: number | undefined): number | undefined;
  /** PUT may create (as for leases, nodes' status never …). */
  allowCreateOnUpdate?: boolean;
  /** PUT without metadata.resourceVersion is allowed. */
  allowUnconditionalUpdate?: boolean;
  /** Finalizers set on creation (kubernetes, foregroundDeletion …). */
  /** What is said to whoever deletes without a word about the dependents. */
  deleteWarning?: string;
  defaultPropagation?: "Background" | "Orphan" | "Foreground";
}
