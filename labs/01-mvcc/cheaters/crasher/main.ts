/** Ends the program in the middle: memory without end, which no catch can stop. */
export function create() {
  const hoard: number[][] = [];
  return {
    begin() {
      for (;;) hoard.push(Array.from({ length: 100_000 }, (_, i) => i + hoard.length));
    },
  };
}
