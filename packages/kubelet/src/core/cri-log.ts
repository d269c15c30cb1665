/**
 * The log files that CRI runtimes write, and which of their lines a reader gets.
 *
 * A line  `2026-01-02T03:04:05.123456789Z stdout F text`; tag P is a piece of a longer line whose
 *         last piece has F.
 * Source  k8s.io/cri-client/pkg/logs/logs.go
 */

export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  timestamp: string;
  stream: "stdout" | "stderr";
  partial: boolean;
  /** The text, with its line feed unless it is a piece. */
  content: Uint8Array;
}

const SPACE = 0x20;
const LINE_FEED = 0x0a;

/** One line of the file without its line feed; undefined when it is not a log line. */
export function parseLogLine(line: Uint8Array): LogLine | undefined {
  const ends: number[] = [];
  for (let at = 0; at < line.length && ends.length < 3; at += 1) {
    if (line[at] === SPACE) ends.push(at);
  }
  // A line with empty text may lack the last space.
  if (ends.length === 2) ends.push(line.length);
  if (ends.length < 3) return undefined;
  const text = (from: number, to: number) => new TextDecoder().decode(line.subarray(from, to));
  const stream = text(ends[0]! + 1, ends[1]!);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const partial = text(ends[1]! + 1, ends[2]!).split(":")[0] === "P";
  const rest = line.subarray(ends[2]! + 1);
  const content = new Uint8Array(rest.length + (partial ? 0 : 1));
  content.set(rest);
  if (!partial) content[rest.length] = LINE_FEED;
  return { timestamp: text(0, ends[0]!), stream, partial, content };
}

/** Nanoseconds since the epoch of an RFC 3339 timestamp, for exact comparison. */
export function timestampNanos(timestamp: string): bigint {
  const match = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(timestamp);
  if (match === null) return 0n;
  const seconds = Date.parse(`${match[1]}${match[3]}`);
  const fraction = (match[2] ?? "").padEnd(9, "0").slice(0, 9);
  return BigInt(seconds) * 1_000_000n + BigInt(fraction);
}

export interface LogSelection {
  sinceNanos: bigint;
  timestamps: boolean;
  limitBytes: number | undefined;
  /** Lines of the file, whether or not they are for the reader; lines written later count too. */
  limitLines?: number | undefined;
  stream: "All" | "Stdout" | "Stderr";
}

/** Turns lines of the file into what the reader gets; keeps count of the bytes given out. */
export class LogSelector {
  readonly #selection: LogSelection;
  #left: number;
  #linesLeft: number;
  /** The reader has all that it asked for. */
  done: boolean;
  /** The last piece did not end its line: the next one gets no timestamp of its own. */
  #inLine = false;

  constructor(selection: LogSelection) {
    this.#selection = selection;
    this.#left = selection.limitBytes ?? Number.POSITIVE_INFINITY;
    this.#linesLeft = selection.limitLines ?? Number.POSITIVE_INFINITY;
    this.done = this.#linesLeft === 0;
  }

  /** The bytes for the reader; empty when the line is not for it. */
  take(line: Uint8Array): Uint8Array {
    const parsed = parseLogLine(line);
    const none = new Uint8Array(0);
    if (parsed === undefined || this.done) return none;
    this.#linesLeft -= 1;
    this.done = this.#linesLeft === 0;
    const { sinceNanos, stream, timestamps } = this.#selection;
    if (sinceNanos > 0n && timestampNanos(parsed.timestamp) < sinceNanos) return none;
    if (stream !== "All" && stream.toLowerCase() !== parsed.stream) return none;
    const stamp = timestamps && !this.#inLine ? `${parsed.timestamp} ` : "";
    this.#inLine = parsed.partial;
    const prefix = new TextEncoder().encode(stamp);
    const whole = new Uint8Array(prefix.length + parsed.content.length);
    whole.set(prefix);
    whole.set(parsed.content, prefix.length);
    const given = whole.length > this.#left ? whole.subarray(0, this.#left) : whole;
    this.#left -= given.length;
    if (this.#left <= 0) this.done = true;
    return given;
  }
}
