/**
 * An EPay gateway by its configured address: where its pages are, and by which name its payments are told apart from
 * another gateway's.
 */
import type { EpayConfig } from "../config/Config.ts"

/** The address of a page of the gateway, whose address may end in a slash. Undefined when it is not an address of the web. */
export const pageUrl = ({ gateway }: EpayConfig, page: "api.php" | "submit.php"): URL | undefined => {
  const text = `${gateway.trim().replace(/\/+$/, "")}/${page}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url?.search === "" && url.hash === "" && url.username === "" && url.password === ""
  return isPlain && (url.protocol === "https:" || url.protocol === "http:") ? url : undefined
}

/** Host and port; the address as it is when it is none. */
export const hostOf = (config: EpayConfig): string => pageUrl(config, "api.php")?.host ?? config.gateway
