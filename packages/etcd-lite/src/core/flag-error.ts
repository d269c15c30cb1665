/**
 * What is wrong with how the program was started, and what its flags are read into.
 *
 * Units  exitCode  2 where Go's flag package gives up, 1 where etcd looks at what the flags say
 */
export class FlagError extends Error {
  override readonly name = "FlagError";
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export type FlagValues = Readonly<Record<string, string>>;

export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|t|T|true|TRUE|True)$/.test(value);
}
