/**
 * The header blocks that a gRPC server sends.
 *
 * Two are in every answer that succeeds. The first time they are put into the peer's table, from
 * then on they are one or two bytes each, which also spares the client to build texts. All others
 * are literals. A peer that changes its table size gets literals only.
 *
 * Source  RFC 7541 sections 4.2, 6; gRPC over HTTP2, "Responses"
 */
import { encodeLiterals } from "./hpack.ts";

const status200 = 0x88;
const contentTypeName = 31;
const insertNamed = 0x40;
const index = 0x80;
const firstDynamic = 62;
const emptyTable = 0x20;

const type = "application/grpc";
const insertHead = Buffer.from([
  ...[status200, insertNamed | contentTypeName, type.length],
  ...Buffer.from(type),
]);
const name = "grpc-status";
const insertTrailers = Buffer.from([insertNamed, name.length, ...Buffer.from(name), 1, 0x30]);
/** The newest field has the lowest number: the status, once it is there. */
const firstHead = Buffer.from([status200, index | firstDynamic]);
const knownHead = Buffer.from([status200, index | (firstDynamic + 1)]);
const knownTrailers = Buffer.from([index | firstDynamic]);
const literalHead = encodeLiterals([
  [":status", "200"],
  ["content-type", type],
]);
const literalTrailers = encodeLiterals([[name, "0"]]);

const usualTableBytes = 4096;

export class ResponseBlocks {
  #mode: "none" | "head" | "both" | "off" = "none";
  #mustEmpty = false;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  tableSize(sizeBytes: number): void {
    if (this.#mode === "off" || (this.#mode === "none" && sizeBytes >= usualTableBytes)) return;
    this.#mode = "off";
    this.#mustEmpty = true;
  }

  /** `:status 200` and the content type of gRPC. */
  head(): Buffer {
    switch (this.#mode) {
      case "both":
        return knownHead;
      case "head":
        return firstHead;
      case "none":
        this.#mode = "head";
        return insertHead;
      case "off":
        return this.#literal(literalHead);
    }
  }

  /** `grpc-status 0`; after a head. */
  trailers(): Buffer {
    switch (this.#mode) {
      case "both":
        return knownTrailers;
      case "head":
        this.#mode = "both";
        return insertTrailers;
      default:
        return this.#literal(literalTrailers);
    }
  }

  fields(fields: Iterable<readonly [string, string]>): Buffer {
    return this.#literal(encodeLiterals(fields));
  }

  #literal(block: Buffer): Buffer {
    if (!this.#mustEmpty) return block;
    this.#mustEmpty = false;
    return Buffer.concat([Buffer.from([emptyTable]), block]);
  }
}
