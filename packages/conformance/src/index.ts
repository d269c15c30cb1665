/**
 * Cases and subjects: ours and upstream's, one table.
 *
 * @packageDocumentation
 */
export {};
