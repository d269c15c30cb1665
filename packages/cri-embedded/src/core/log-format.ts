/**
 * Output as CRI log lines: `<time> stdout F text`; a piece without line feed gets tag P.
 *
 * Source  containerd internal/cri/io/logger.go
 */
const LINE_FEED = 0x0a;
const PIECE_BYTES_MAX = 16 * 1024;

/** Cuts a stream into lines; what has no end yet waits for more or for `end`. */
export class LineCutter {
  #rest: Buffer = Buffer.alloc(0);

  /** Whole lines without their line feed; a very long one comes in pieces. */
  push(chunk: Buffer): { text: Buffer; partial: boolean }[] {
    const lines: { text: Buffer; partial: boolean }[] = [];
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = data.indexOf(LINE_FEED); end >= 0; end = data.indexOf(LINE_FEED)) {
      lines.push({ text: data.subarray(0, end), partial: false });
      data = data.subarray(end + 1);
    }
    while (data.length > PIECE_BYTES_MAX) {
      lines.push({ text: data.subarray(0, PIECE_BYTES_MAX), partial: true });
      data = data.subarray(PIECE_BYTES_MAX);
    }
    this.#rest = Buffer.from(data);
    return lines;
  }

  /** The stream ended: what is left is a piece. */
  end(): { text: Buffer; partial: boolean }[] {
    const text = this.#rest;
    this.#rest = Buffer.alloc(0);
    return text.length === 0 ? [] : [{ text, partial: true }];
  }
}

/** A timestamp with nanoseconds; the digits below a millisecond come from a counter. */
export function formatLogTime(nowMs: number, serial: number): string {
  const whole = new Date(Math.floor(nowMs)).toISOString();
  return whole.replace("Z", `${String(serial % 1_000_000).padStart(6, "0")}Z`);
}

export function formatLogLine(
  time: string,
  stream: "stdout" | "stderr",
  line: { text: Buffer; partial: boolean },
): Buffer {
  const head = Buffer.from(`${time} ${stream} ${line.partial ? "P" : "F"} `);
  return Buffer.concat([head, line.text, Buffer.from([LINE_FEED])]);
}
