/**
 * Makes a Pod real through CRI, CNI, CSI and cgroups.
 *
 * @packageDocumentation
 */
export {};
