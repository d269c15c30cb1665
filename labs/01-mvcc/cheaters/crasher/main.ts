/** Ends the program in the middle: memory without end, which no catch can stop. */
export function create() {
  const hoard: number[][] = [];
  return {
    begin() {
      for (;;) hoard.push(new Array<number>(2 ** 24).fill(hoard.length));
    },
  };
}
