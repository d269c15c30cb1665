/**
 * Takes away what a store has no need of: the clock, chance, timers, the network, the process.
 *
 * What is left is a language: the same inputs then give the same answers. The names stay, so that
 * the one who reaches for them is told why it does not work.
 */

export class SlotForbidden extends Error {
  override readonly name = "Forbidden";
}

const absent = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
  "fetch",
  "WebSocket",
  "EventSource",
  "XMLHttpRequest",
  "BroadcastChannel",
  "MessageChannel",
  "Worker",
  "crypto",
  "Crypto",
  "performance",
  "Temporal",
  "navigator",
  "process",
  "require",
  "gc",
  "localStorage",
  "sessionStorage",
];

const refuse = (name: string) => (): never => {
  throw new SlotForbidden(`a store may not use ${name}: its answers come from its inputs alone`);
};

/** Throws on every use: called, constructed, or asked for a property. */
function refusal(name: string): unknown {
  const thrower = refuse(name);
  return new Proxy(function refused() {}, {
    apply: thrower,
    construct: thrower,
    get: thrower,
    set: thrower,
    has: thrower,
  });
}

export function lockRealm(): void {
  for (const name of absent) replace(globalThis, name, refusal(name));
  replace(Math, "random", refuse("Math.random"));
  const RealDate = Date;
  const lockedDate = new Proxy(RealDate, {
    apply: refuse("Date"),
    construct: refuse("Date"),
    get(target, name) {
      if (name === "now") return refuse("Date.now");
      return Reflect.get(target, name) as unknown;
    },
  });
  replace(RealDate.prototype, "constructor", lockedDate);
  replace(globalThis, "Date", lockedDate);
}

function replace(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: false, configurable: false });
}
