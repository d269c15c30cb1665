/**
 * The queues that a flow may use: a hand of different cards, chosen by the flow's name, so that few
 * flows get the same hand.
 *
 * Source  apiserver pkg/util/shufflesharding/dealer.go
 */

/** Names are the callers' to choose. */
const handsKeptMax = 4096;

/** The hand of a flow; it is dealt once. */
export function dealer(deckSize: number, handSize: number): (flow: string) => readonly number[] {
  const hands = new Map<string, readonly number[]>();
  return (flow) => {
    let hand = hands.get(flow);
    if (hand === undefined) {
      hand = deal(fnv1a64(flow), deckSize, handSize);
      if (hands.size >= handsKeptMax) hands.clear();
      hands.set(flow, hand);
    }
    return hand;
  };
}

/** Different cards of a deck, chosen by a number: the same number gives the same hand. */
export function deal(entropy: bigint, deckSize: number, handSize: number): number[] {
  const deck = Array.from({ length: deckSize }, (_, i) => i);
  const hand: number[] = [];
  let rest = entropy;
  for (let i = 0; i < Math.min(handSize, deckSize); i++) {
    const left = BigInt(deck.length);
    const [card] = deck.splice(Number(rest % left), 1);
    hand.push(card!);
    rest /= left;
  }
  return hand;
}

/** FNV-1a of a flow's name. */
function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}
