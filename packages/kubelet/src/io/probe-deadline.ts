/**
 * How long a probe waits. A time in which this process itself stood still is not held against the
 * container: a timer that comes late comes before the answer that has been there all along.
 */
const parts = 10;

/** Calls when the time is over, unless the function that it gives back is called before. */
export function probeDeadline(timeoutMs: number, expired: () => void): () => void {
  let left = parts;
  let timer: NodeJS.Timeout | undefined;
  // Short waits one after another: whatever holds the process up makes one of them longer.
  const wait = () => {
    left -= 1;
    timer = setTimeout(left === 0 ? expired : wait, timeoutMs / parts);
  };
  wait();
  return () => clearTimeout(timer);
}
