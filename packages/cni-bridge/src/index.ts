/**
 * A CNI 1.1 bridge plugin with host-local style IPAM.
 *
 * @packageDocumentation
 */
export {};
