/**
 * A CRI runtime without root or Linux: pods as child processes or scripted behaviour.
 *
 * @packageDocumentation
 */
export {};
