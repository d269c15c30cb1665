/**
 * A stream that says once when it is over: it ended, was cut off, or its reader left; and how many
 * bytes were sent until then.
 */
import type { Stream } from "./context.ts";

export function untilEnded(
  stream: Stream,
  signal: AbortSignal,
  ended: (sentBytes: number) => void,
): Stream {
  let isOver = false;
  let sentBytes = 0;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener("abort", end);
    ended(sentBytes);
  };
  if (signal.aborted) end();
  else signal.addEventListener("abort", end);
  return (sink) =>
    stream({
      write: (chunk) => {
        sentBytes += chunk.length;
        sink.write(chunk);
      },
      get pendingBytes() {
        return sink.pendingBytes;
      },
      end: () => {
        end();
        sink.end();
      },
      destroy: () => {
        end();
        sink.destroy();
      },
    });
}
