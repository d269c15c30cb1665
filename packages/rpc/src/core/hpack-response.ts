/**
 * The header blocks that a server sends: gRPC's, or those of plain HTTP.
 *
 * Two are in every answer that succeeds. The first time they are put into the peer's table, from
 * then on they are one or two bytes each, which also spares the client to build texts. All others
 * are literals. A peer that changes its table size gets literals only.
 *
 * Plain answers (`answer`) put fields that come again and again into the table as long as it has
 * room, and nothing is ever pushed out of it. A connection's table serves one of the two.
 *
 * Source  RFC 7541 sections 4.2, 6; gRPC over HTTP2, "Responses"
 */
import { encodeLiterals, fieldBytes, insertField, pushInteger } from "./hpack.ts";

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

type Field = readonly [name: string, value: string];

export class ResponseBlocks {
  #mode: "none" | "head" | "both" | "plain" | "off" = "none";
  #mustEmpty = false;
  /** Fields in the peer's table, oldest first: name and value → how many were put in before. */
  #kept: Map<string, number> | undefined;
  #keptBytes = 0;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  tableSize(sizeBytes: number): void {
    if (this.#mode === "off" || sizeBytes >= usualTableBytes) return;
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
      default:
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

  /** `often` are fields that other answers have too, `:status` among them: they go first. */
  answer(often: readonly Field[], others: readonly Field[]): Buffer {
    if (this.#mode === "none") this.#mode = "plain";
    if (this.#mode !== "plain") return this.fields([...often, ...others]);
    const parts: number[] = [];
    for (const field of often) this.#known(parts, field);
    return Buffer.concat([Buffer.from(parts), encodeLiterals(others)]);
  }

  #known(parts: number[], [name, value]: Field): void {
    this.#kept ??= new Map();
    const key = `${name}\0${value}`;
    const place = this.#kept.get(key);
    if (place !== undefined) {
      const position = firstDynamic + this.#kept.size - 1 - place;
      pushInteger(parts, position, { prefixBits: 7, flags: index });
      return;
    }
    const bytes = fieldBytes({ name, value });
    if (this.#keptBytes + bytes > usualTableBytes) {
      parts.push(...encodeLiterals([[name, value]]));
      return;
    }
    this.#keptBytes += bytes;
    this.#kept.set(key, this.#kept.size);
    insertField(parts, name, value);
  }

  fields(fields: Iterable<Field>): Buffer {
    return this.#literal(encodeLiterals(fields));
  }

  #literal(block: Buffer): Buffer {
    if (!this.#mustEmpty) return block;
    this.#mustEmpty = false;
    return Buffer.concat([Buffer.from([emptyTable]), block]);
  }
}
