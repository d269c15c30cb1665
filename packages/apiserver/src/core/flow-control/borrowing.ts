/**
 * How many seats has each priority level now? Those that are idle lend some of theirs to those that
 * are asked for more; every ten seconds the seats are dealt out anew, by what was wanted of late.
 *
 * Units   seats; `proportion` of a level's target, the same for all within their bounds
 * Source  apiserver pkg/util/flowcontrol/{apf_controller,conc_alloc}.go,
 *         fairqueuing/integrator.go (KEP-1040)
 */
export interface Claim {
  lower: number;
  upper: number;
  /** What it would like to have; at least `lower`. */
  target: number;
}

/** Nobody wants nothing at all: what is left is dealt out evenly. */
const targetMin = 0.001;

/** Everybody gets the same proportion of the target, within the bounds, so that all is dealt out. */
export function dealOut(total: number, claims: readonly Claim[]): number[] {
  const share = (proportion: number): number[] =>
    claims.map(({ lower, upper, target }) =>
      Math.max(lower, Math.min(upper, proportion * Math.max(target, targetMin))),
    );
  const sum = (seats: readonly number[]): number => seats.reduce((all, one) => all + one, 0);
  let [least, most] = [0, total / targetMin];
  // The sum grows with the proportion: half of the range is left after each look.
  for (let i = 0; i < 100; i++) {
    const middle = (least + most) / 2;
    if (sum(share(middle)) < total) least = middle;
    else most = middle;
  }
  return share(most);
}

/** How many seats were wanted over a time: the mean, how far from it, the most. */
export class SeatDemand {
  #seats = 0;
  #sinceMs: number;
  #startMs: number;
  #sum = 0;
  #squares = 0;
  #highest = 0;
  #smoothed = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#startMs = nowMs;
  }

  /** So many are wanted from now on. */
  set(seats: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#seats = seats;
    this.#highest = Math.max(this.#highest, seats);
  }

  /** Ends a period and begins the next. */
  close(nowMs: number): { highest: number; smoothed: number } {
    this.#advance(nowMs);
    const durationMs = nowMs - this.#startMs;
    const highest = this.#highest;
    if (durationMs > 0) {
      const mean = this.#sum / durationMs;
      const deviation = Math.sqrt(Math.max(0, this.#squares / durationMs - mean * mean));
      const envelope = mean + deviation;
      // It rises at once and sinks slowly.
      this.#smoothed = Math.max(envelope, 0.977 * this.#smoothed + 0.023 * envelope);
    }
    this.#startMs = nowMs;
    this.#sum = 0;
    this.#squares = 0;
    this.#highest = this.#seats;
    return { highest, smoothed: this.#smoothed };
  }

  #advance(nowMs: number): void {
    const ms = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    this.#sum += this.#seats * ms;
    this.#squares += this.#seats * this.#seats * ms;
  }
}

export interface LevelSeats {
  nominal: number;
  /** Of those it never lends. */
  min: number;
  /** With those it may borrow. */
  max: number;
  isExempt: boolean;
}

export type Period = ReturnType<SeatDemand["close"]>;

/** The seats of each level for the next period. */
export function adjustSeats(levels: readonly { seats: LevelSeats; period: Period }[]): number[] {
  const total = levels.reduce((sum, { seats }) => sum + seats.nominal, 0);
  const lower = levels.map(({ seats, period }) => {
    const wanted = seats.isExempt ? period.highest : Math.min(seats.nominal, period.highest);
    return Math.max(seats.min, wanted);
  });
  const limited = levels.flatMap(({ seats }, i) => (seats.isExempt ? [] : [i]));
  const sum = (value: (i: number) => number): number =>
    limited.reduce((all, i) => all + value(i), 0);
  const exempt = levels.reduce((all, { seats }, i) => all + (seats.isExempt ? lower[i]! : 0), 0);
  const left = total - exempt;
  const [minSum, lowerSum] = [sum((i) => levels[i]!.seats.min), sum((i) => lower[i]!)];
  const dealt = new Map<number, number>();
  if (left <= minSum) {
    for (const i of limited) dealt.set(i, levels[i]!.seats.min);
  } else if (left <= lowerSum) {
    const part = (left - minSum) / (lowerSum - minSum);
    for (const i of limited) {
      const { min } = levels[i]!.seats;
      dealt.set(i, min + Math.round((lower[i]! - min) * part));
    }
  } else {
    const claims = limited.map((i) => ({
      lower: lower[i]!,
      upper: levels[i]!.seats.max,
      target: Math.max(lower[i]!, levels[i]!.period.smoothed),
    }));
    for (const [at, seats] of dealOut(total, claims).entries()) {
      dealt.set(limited[at]!, Math.round(seats));
    }
  }
  return levels.map((_, i) => dealt.get(i) ?? lower[i]!);
}
