/**
 * An empty array with room for three. The first push to an empty literal makes room for seventeen, and a message makes some
 * thirty arrays that hold one or two.
 */
export function shortList<Item>(): Item[] {
  const list = [NOTHING, NOTHING, NOTHING];
  list.pop();
  list.pop();
  list.pop();
  return list as Item[];
}

const NOTHING: unknown = undefined;
