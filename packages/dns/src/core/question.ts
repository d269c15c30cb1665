/**
 * A question of this server's own, as a whole message: recursion desired, EDNS with room for 1232
 * bytes.
 *
 * Source  RFC 1035 section 4.1, RFC 6891; 1232 bytes fit any path (DNS flag day 2020)
 */
import { types } from "./message.ts";

export function questionBytes(name: string, type: number): Uint8Array {
  const bytes = [0, 0, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1];
  for (const label of name === "" ? [] : name.split(".")) {
    bytes.push(label.length, ...Array.from(label, (character) => character.charCodeAt(0)));
  }
  bytes.push(0, type >> 8, type & 255, 0, 1);
  bytes.push(0, 0, types.OPT, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, 0, 0);
  return Uint8Array.from(bytes);
}
