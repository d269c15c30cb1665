/** Static pods. */
import type { Pod } from "@nanokube/api/core/v1";

export class StaticPods {
  readonly firstScan: Promise<void> = Promise.resolve();
  seeMirror(_pod: Pod): void {}
  loseMirror(_pod: Pod): void {}
  mirrorOf(_pod: Pod): Pod | undefined {
    return undefined;
  }
  async run(_signal: AbortSignal): Promise<void> {}
}
