/**
 * What an API object is: codecs, quantity, selectors, patches, apply, Status, clock.
 *
 * @packageDocumentation
 */
export * from "./clock.ts";
export * from "./exec.ts";
export * from "./field-error.ts";
export * from "./field-path.ts";
export * from "./go-text.ts";
export * from "./json-tree.ts";
export * from "./log.ts";
export * from "./object.ts";
export * from "./random.ts";
export * from "./status.ts";
export * from "./status-errors.ts";
