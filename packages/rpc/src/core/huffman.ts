/**
 * HPACK's Huffman code, for reading; what we write is plain.
 *
 * The code is canonical: symbols of one length have consecutive codes, in order of the symbol, and
 * shorter codes come first. So the lengths say everything.
 *
 * Errors  undefined for a text that is no Huffman code: the end-of-string symbol inside, padding
 *         that is longer than 7 bits or not all ones
 * Source  RFC 7541 section 5.2, appendix B
 */

/** Lengths in bits of the symbols 0 to 255; the end-of-string symbol, 256, has 30. */
const lengths = `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
  6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
  13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
  15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30`
  .trim()
  .split(/\s+/)
  .map(Number);

const endOfString = 256;

/** tree[2 * node + bit] is the next node, or -1 - symbol; made for the first text. */
let tree: Int16Array | undefined;

function makeTree(): Int16Array {
  const nodes: number[] = [0, 0];
  let code = 0;
  let length = 0;
  const symbols = lengths.map((bits, symbol) => ({ bits, symbol }));
  symbols.sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  for (const { bits, symbol } of symbols) {
    code *= 2 ** (bits - length);
    length = bits;
    let node = 0;
    for (let i = bits - 1; i > 0; i--) {
      const at = 2 * node + ((code >>> i) & 1);
      if (nodes[at] === 0) nodes[at] = nodes.push(0, 0) / 2 - 1;
      node = nodes[at]!;
    }
    nodes[2 * node + (code & 1)] = -1 - symbol;
    code++;
  }
  return Int16Array.from(nodes);
}

export function decodeHuffman(bytes: Uint8Array, from: number, to: number): string | undefined {
  tree ??= makeTree();
  let text = "";
  let node = 0;
  let bitsSinceSymbol = 0;
  let isAllOnes = true;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >>> shift) & 1;
      const next = tree[2 * node + bit]!;
      if (next < 0) {
        const symbol = -1 - next;
        if (symbol === endOfString) return undefined;
        text += String.fromCharCode(symbol);
        node = 0;
        bitsSinceSymbol = 0;
        isAllOnes = true;
      } else {
        node = next;
        bitsSinceSymbol++;
        if (bit === 0) isAllOnes = false;
      }
    }
  }
  return bitsSinceSymbol > 7 || !isAllOnes ? undefined : text;
}
