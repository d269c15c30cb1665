/**
 * The launcher: a Kubernetes cluster on one machine or several.
 *
 * @packageDocumentation
 */
export {};
