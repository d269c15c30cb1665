/**
 * A CRI runtime without root or Linux: pods as child processes or scripted behaviour.
 *
 * @packageDocumentation
 */
export { BEHAVIOUR, type Behaviour, behaviourOf, IDLE, parseBehaviour } from "./core/behaviour.ts";
export { type CriEmbedded, type CriEmbeddedOptions, createCriEmbedded } from "./io/cri-embedded.ts";
