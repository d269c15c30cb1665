/**
 * Services to iptables rules.
 *
 * @packageDocumentation
 */
export {};
