/** The two timers that calls need; @nanokube/machinery's Clock has this shape. */
export interface RpcClock {
  now(): number;
  readonly setTimeout: (fn: () => void, ms: number) => unknown;
  clearTimeout(handle: never): void;
}
