/**
 * Kubernetes service discovery over DNS.
 *
 * @packageDocumentation
 */
export {};
