/**
 * Who may read metrics: they say what this installation earns. With `telemetry.metrics.token`, those who send it. Without, only programs
 * on this machine, while people reach this installation on this machine alone: a proxy in front of it is such a program, too, and
 * asks for strangers.
 *
 * @internal
 */
import { Redacted } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import { isLoopbackHost, isLoopbackUrl } from "../../config/Config.ts"

export interface MetricsQuestion {
  readonly token: Redacted.Redacted<string>
  /** The `authorization` header. */
  readonly authorization: string | undefined
  /** The address that the connection comes from. */
  readonly peer: string
  /** A header says that the request was passed on. */
  readonly isForwarded: boolean
  /** Where people reach this installation. */
  readonly publicUrl: string
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

const isSame = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted))

const bearerOf = (authorization = ""): string => /^bearer +(.*)$/i.exec(authorization)?.[1]?.trim() ?? ""

/** `token`: the right one is missing. `local`: they are for this machine. */
export const judgeMetricsQuestion = (question: MetricsQuestion): "allowed" | "token" | "local" => {
  const token = Redacted.value(question.token)
  if (token !== "") return isSame(bearerOf(question.authorization), token) ? "allowed" : "token"
  return isLoopbackHost(question.peer) && !question.isForwarded && isLoopbackUrl(question.publicUrl)
    ? "allowed"
    : "local"
}

/** Headers by which a proxy says that it asks for somebody else. */
export const forwardingHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"] as const

export const refusals: Readonly<Record<"token" | "local", { readonly status: number; readonly text: string }>> = {
  token: { status: 401, text: "Send telemetry.metrics.token as a bearer token.\n" },
  local: {
    status: 403,
    text:
      "Metrics are for programs on this machine. Set telemetry.metrics.token, or telemetry.metrics.port, to read them.\n"
  }
}
