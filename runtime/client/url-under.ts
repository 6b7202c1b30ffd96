/**
 * The address of a path of the server. @param base of the server, with the path under which a proxy may have put it:
 * `https://example.com/parley`.
 */
export function urlUnder(base: string, path: string): URL {
  return new URL(path.replace(/^\//, ''), base.replace(/\/*$/, '/'));
}
