/**
 * A Kubernetes API server, and the controllers you pick, inside your test process.
 *
 * @packageDocumentation
 */
export {};
