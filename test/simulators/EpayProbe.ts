/**
 * How the tests of the simulated EPay gateway talk to it: a shop that submits signed forms and is called back.
 */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { type EpayPairs, epaySigned, epayVerify } from "../../simulators/epay/EpaySignature.ts"
import { acquireEpay, type EpayOptions, type EpaySimulator } from "../../simulators/epay/EpaySimulator.ts"
import { type Callback, type CallbackProbe, startCallbackProbe } from "./CallbackProbe.ts"

export interface EpayWorld {
  readonly sim: EpaySimulator
  readonly shop: CallbackProbe
  /** The parameters of what the shop got, each with whether its signature is right. */
  readonly notes: () => ReadonlyArray<{ readonly verified: boolean; readonly [name: string]: unknown }>
}

const noteOf = ({ body, method, query }: Callback, key: string) => {
  const pairs = [...new URLSearchParams(method === "POST" ? body : query)]
  return { ...Object.fromEntries(pairs), verified: epayVerify(pairs, key) }
}

export const withEpay = (name: string, run: (world: EpayWorld) => Promise<void>, options: EpayOptions = {}) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const shop = yield* Effect.acquireRelease(
        Effect.promise(startCallbackProbe),
        (probe) => Effect.promise(probe.close)
      )
      const sim = yield* acquireEpay({ retryDelaysMs: [1, 1], ...options })
      const notes = () => shop.received.map((callback) => noteOf(callback, sim.key))
      yield* Effect.promise(() => run({ sim, shop, notes }))
    }))

/** The signed form of an order; `extra` changes it before it is signed. */
export const form = (
  { shop, sim }: Pick<EpayWorld, "sim" | "shop">,
  extra: { readonly [name: string]: string } = {}
): EpayPairs =>
  epaySigned(
    Object.entries({
      pid: sim.pid,
      type: "alipay",
      out_trade_no: "topup_1_abc",
      notify_url: shop.url,
      return_url: "http://127.0.0.1:9/pay/topup/1",
      name: "余额充值 <b>20</b>",
      money: "20.00",
      device: "pc",
      param: "",
      ...extra
    }),
    sim.key
  )

const written = (pairs: EpayPairs) => new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value]))

/** Posts the form, as a browser does. */
export const submit = (world: Pick<EpayWorld, "sim">, pairs: EpayPairs) =>
  fetch(`${world.sim.url}/submit.php`, { method: "POST", body: written(pairs), redirect: "manual" })

/** The same by its address. */
export const submitByGet = (world: Pick<EpayWorld, "sim">, pairs: EpayPairs) =>
  fetch(`${world.sim.url}/submit.php?${written(pairs)}`, { redirect: "manual" })

/** Submits an order; answers its number. */
export const ordered = async (world: EpayWorld, extra: { readonly [name: string]: string } = {}) => {
  const pairs = form(world, extra)
  await submit(world, pairs)
  return Object.fromEntries(pairs).out_trade_no ?? ""
}

export const api = (
  { sim }: Pick<EpayWorld, "sim">,
  parameters: { readonly [name: string]: string },
  method: "GET" | "POST" = "GET"
) => {
  const { act = "", ...rest } = { pid: sim.pid, key: sim.key, ...parameters }
  const body = new URLSearchParams(rest)
  return method === "GET"
    ? fetch(`${sim.url}/api.php?act=${act}&${body}`)
    : fetch(`${sim.url}/api.php?act=${act}`, { method: "POST", body })
}
