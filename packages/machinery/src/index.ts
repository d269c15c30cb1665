/**
 * What an API object is: codecs, quantity, selectors, patches, apply, Status, clock.
 *
 * @packageDocumentation
 */
export {};
