/**
 * Where the servers of a cluster reach one another.
 */
import { PORT_MAX } from "./SettingBounds.ts"

/** Servers of one machine take the first free port from `cluster.port` on, among so many. */
export const CLUSTER_PORTS = 64

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** A host and a port, as `host:port`, where an IPv6 address is in brackets; undefined for another text. */
export const readHostPort = (text: string): HostPort | undefined => {
  const [, bracketed, plain = "", digits = ""] = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  return host !== "" && port >= 1 && port <= PORT_MAX ? { host, port } : undefined
}

export const printHostPort = ({ host, port }: HostPort): string => `${host.includes(":") ? `[${host}]` : host}:${port}`
