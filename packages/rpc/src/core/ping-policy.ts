/**
 * How often a client may ping: who does it too often is sent away.
 *
 * Two pings too early are forgiven; an answer of the server in between makes all good. Without a
 * call under way hardly any ping is wanted.
 * Units   milliseconds on any one clock
 * Source  google.golang.org/grpc internal/transport/http2_server.go handlePing
 */
const idleMinMs = 2 * 3_600_000;
const strikesMax = 2;

export class PingPolicy {
  readonly #minMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  #answered = -1;

  constructor(minMs: number) {
    this.#minMs = minMs;
  }

  /** `answered`: how many frames of answers went out until now. */
  isTooMany(now: { ms: number; hasCalls: boolean; answered: number }): boolean {
    const leastMs = now.hasCalls ? this.#minMs : idleMinMs;
    if (now.answered !== this.#answered) this.#strikes = 0;
    else if (now.ms - this.#lastMs < leastMs) this.#strikes++;
    this.#answered = now.answered;
    this.#lastMs = now.ms;
    return this.#strikes > strikesMax;
  }
}
