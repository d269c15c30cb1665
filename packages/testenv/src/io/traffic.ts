/**
 * Every request of the environment's own components and clients passes here: it is counted, so that
 * a step of the clock can wait until all is quiet, and it may be made to fail.
 */
import type { HttpRequest, HttpResponse, HttpTransport } from "@nanokube/client";
import { type Clock, sleep } from "@nanokube/machinery";
import { askedFor, checkedRule, type FaultRule, faultStatus, ruleMatches } from "../core/faults.ts";

/** Turns of the event loop without any request, after which nothing is on its way any more. */
const quietTurns = 20;

interface ArmedFault {
  rule: FaultRule;
  left: number;
  hits: number;
}

export interface Fault {
  /** Requests it has met. */
  readonly hits: number;
  remove(): void;
}

export class Traffic {
  readonly #clock: Clock;
  readonly #faults = new Set<ArmedFault>();
  #inFlight = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rules are tried in the order they were added; a request meets one at most. */
  fault(rule: FaultRule): Fault {
    const armed = {
      rule: checkedRule(rule),
      left: rule.times ?? Number.POSITIVE_INFINITY,
      hits: 0,
    };
    this.#faults.add(armed);
    return {
      get hits() {
        return armed.hits;
      },
      remove: () => void this.#faults.delete(armed),
    };
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  wrap(transport: HttpTransport): HttpTransport {
    return async (request) => {
      this.#inFlight++;
      try {
        return await this.#send(transport, request);
      } finally {
        this.#inFlight--;
      }
    };
  }

  /** Resolves once no request has been on its way for a while. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < quietTurns; ) {
      await new Promise((resolve) => setImmediate(resolve));
      turns = this.#inFlight === 0 ? turns + 1 : 0;
    }
  }

  #take(request: HttpRequest): FaultRule | undefined {
    if (this.#faults.size === 0) return undefined;
    const asked = askedFor(request.method, request.path);
    if (asked === undefined) return undefined;
    for (const fault of this.#faults) {
      if (!ruleMatches(fault.rule, asked)) continue;
      fault.left--;
      fault.hits++;
      if (fault.left <= 0) this.#faults.delete(fault);
      return fault.rule;
    }
    return undefined;
  }

  async #send(transport: HttpTransport, request: HttpRequest): Promise<HttpResponse> {
    const rule = this.#take(request);
    if (rule === undefined) return transport(request);
    if (rule.delayMs !== undefined) await this.#delay(rule.delayMs, request.signal);
    if (rule.disconnect === true) throw new Error("injected fault: connection reset");
    if (rule.status !== undefined) return refusal({ ...rule, status: rule.status });
    const response = await transport(request);
    const events = rule.dropWatchAfterEvents;
    return events === undefined ? response : { ...response, body: cut(response.body, events) };
  }

  /** A request that waits for the clock is not on its way: else a step would wait for itself. */
  async #delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
    this.#inFlight--;
    try {
      await sleep(this.#clock, ms, signal);
    } finally {
      this.#inFlight++;
    }
  }
}

function refusal(rule: FaultRule & { status: number }): HttpResponse {
  const bytes = new TextEncoder().encode(JSON.stringify(faultStatus(rule)));
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (rule.retryAfterSeconds !== undefined) headers["retry-after"] = `${rule.retryAfterSeconds}`;
  const body = (async function* () {
    yield bytes;
  })();
  return { status: rule.status, headers, body };
}

/** Hands on so many lines, then breaks off. */
async function* cut(body: AsyncIterable<Uint8Array>, events: number): AsyncIterable<Uint8Array> {
  let left = events;
  if (left <= 0) throw new Error("injected fault: watch dropped");
  for await (const chunk of body) {
    let from = 0;
    while (left > 0 && from < chunk.length) {
      const end = chunk.indexOf(0x0a, from);
      if (end < 0) break;
      left--;
      from = end + 1;
    }
    yield left > 0 ? chunk : chunk.subarray(0, from);
    if (left === 0) throw new Error("injected fault: watch dropped");
  }
}
