/**
 * The path of a request to the API, as its routes know it. Base URLs are written in many ways: with a slash at the end, so that clients
 * ask for `/v1//models`, or with `/v1` where a client adds it, too. Proxies send whole addresses.
 *
 * @internal
 */

/** What a path that is written otherwise has. */
const written = /[?#]|\/\/|.\/$|^\/v1\/v1\/|^[^/]/

const isApi = (path: string): boolean => path.startsWith("/v1/") || path.startsWith("/dashboard/billing/")

/** The path without its query; undefined where the address is not one of the API. */
export const apiPathOf = (url: string | undefined): string | undefined => {
  if (url === undefined) return undefined
  const path = written.test(url) ? plain(url) : url
  return isApi(path) ? path : undefined
}

const plain = (url: string): string => {
  const path = url
    .replace(/[?#].*$/s, "")
    .replace(/^https?:\/\/[^/]*/i, "")
    .replace(/\/{2,}/g, "/")
    .replace(/^(?:\/v1)+(?=\/v1\/)/, "")
  // Of `/v1/` nothing is left that would name the API.
  return path.length > "/v1/".length ? path.replace(/\/$/, "") : path
}
