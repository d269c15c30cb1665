/** What can never be unless there is a bug: then a member stops rather than spread it. */
export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken";
}

export function invariant(holds: boolean, text: string): asserts holds {
  if (!holds) throw new InvariantBroken(`raft: ${text}`);
}
