/**
 * Does something for each of many, a few at the same time; after the first failure nothing new is
 * begun, and of several failures the one that comes first in order is told.
 */
export async function fewAtOnce<T>(
  items: readonly T[],
  most: number,
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const failures: { at: number; error: unknown }[] = [];
  const work = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const at = next++;
      try {
        await act(items[at]!);
      } catch (error) {
        failures.push({ at, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
  const [first] = failures.sort((a, b) => a.at - b.at);
  if (first !== undefined) throw first.error;
}
