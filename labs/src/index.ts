/**
 * Graded labs.
 *
 * @packageDocumentation
 */
export {};
