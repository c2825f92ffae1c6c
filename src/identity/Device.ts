/**
 * What a `User-Agent` header says of a device, in short: the browser and the system, as their makers write them. It is what
 * the client says of itself, so it helps people to tell their sessions apart and proves nothing.
 */

/** In the order in which they are looked for: most browsers name others too. */
const browsers = [
  ["Edge", /\bEdgA?(?:iOS)?\//],
  ["Opera", /\bOPR\//],
  ["WeChat", /\bMicroMessenger\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /(?:Chrome|\bCriOS)\//],
  ["Safari", /\bSafari\//],
  ["curl", /^curl\//]
] as const

const systems = [
  ["Android", /\bAndroid\b/],
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMacintosh\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Linux", /\bLinux\b/]
] as const

const firstOf = (known: ReadonlyArray<readonly [string, RegExp]>, text: string): ReadonlyArray<string> =>
  known.filter(([, pattern]) => pattern.test(text)).slice(0, 1).map(([name]) => name)

/** Such as `Firefox · Linux`; undefined where neither is known. */
export const deviceOf = (userAgent: string): string | undefined => {
  const parts = [...firstOf(browsers, userAgent), ...firstOf(systems, userAgent)]
  return parts.length === 0 ? undefined : parts.join(" · ")
}
