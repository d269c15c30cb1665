/**
 * How to talk to a Kubernetes API server: kubeconfig, REST, watch, informers, work queues, leases, events.
 *
 * @packageDocumentation
 */
export {};
