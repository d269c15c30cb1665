/**
 * Every built-in Kubernetes type and resource as a generated table, with TypeScript types.
 *
 * @packageDocumentation
 */
export {};
