/**
 * The command runner that components are given. A type only: who acts brings the runner.
 *
 * Shapes  argv     the program and its arguments; never a shell line
 *         code     the exit code; -1 when it was killed (time limit, signal, abort)
 */
export interface ExecOptions {
  input?: string | Uint8Array;
  timeoutMs?: number;
  env?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
  code: number;
}

export type Exec = (argv: string[], options?: ExecOptions) => Promise<ExecResult>;
