/**
 * The Kubernetes controllers, one folder each.
 *
 * @packageDocumentation
 */
export {};
