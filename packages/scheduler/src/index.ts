/**
 * The Kubernetes scheduler: one cycle, one file a plugin.
 *
 * @packageDocumentation
 */
export {};
