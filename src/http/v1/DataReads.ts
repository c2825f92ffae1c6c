/**
 * What can be read at `/v1/*` with a key, besides calls: the models, the receipt of a call, and what balance tools ask for. Nothing here
 * costs anything, so it takes little of what calls need.
 *
 * @internal
 */
import { Context, Effect, Layer, Semaphore } from "effect"
import type { UserId } from "../../domain/Ids.ts"
import { CallRefused, unavailable } from "../../gateway/CallError.ts"
import type { ApiKeyIdentity } from "../../identity/ApiKeys.ts"
import { balanceShapes } from "../../usage/BalanceShapes.ts"
import { KeyFigures } from "../../usage/KeyFigures.ts"
import { freeQuestionsMax } from "../../postgres/PoolShares.ts"
import { Receipts } from "../../usage/Receipts.ts"
import { tooManyReads } from "./EdgeRefusals.ts"
import { ModelList } from "./ModelList.ts"
import { OpenLimits } from "./OpenLimits.ts"

/** Answers the holder of a key with a value that becomes JSON. */
type Read = (key: ApiKeyIdentity) => Effect.Effect<object, CallRefused>

export class DataReads extends Context.Service<DataReads, {
  /** What answers `GET` of a path; undefined: there is nothing. */
  find(path: string): Read | undefined
}>()("realms/http/v1/DataReads") {
  static readonly layer = Layer.effect(DataReads)(Effect.gen(function*() {
    const models = yield* ModelList
    const receipts = yield* Receipts
    const figures = yield* KeyFigures
    const turns = yield* Semaphore.make(freeQuestionsMax.receipts)
    const asked = new OpenLimits<UserId>(RECEIPTS_OF_USER_MAX)

    const listModels = Effect.map(models.list, (data) => ({ object: "list", data }))

    const model = Effect.fnUntraced(function*(id: string) {
      const found = (yield* models.list).find((listed) => listed.id === id)
      if (found !== undefined) return found
      return yield* new CallRefused({
        code: "model_not_found",
        message: `The model '${id}' does not exist.`,
        param: "model"
      })
    })

    const findReceipt = Effect.fnUntraced(function*({ userId }: ApiKeyIdentity, id: string) {
      const found = yield* Effect.mapError(
        turns.withPermits(1)(receipts.find(userId, id)),
        () => unavailable("Receipts are unavailable at this moment.")
      )
      return found ?? (yield* new CallRefused({ code: "not_found", message: "There is no such call." }))
    })

    const receipt = (key: ApiKeyIdentity, id: string) =>
      Effect.suspend(() => {
        const { userId } = key
        if (!asked.enter(userId)) return Effect.fail(tooManyReads)
        return Effect.ensuring(findReceipt(key, id), Effect.sync(() => asked.leave(userId)))
      })

    return DataReads.of({
      find: (path) => {
        if (path === "/v1/models") return () => listModels
        if (path.startsWith(modelsPath)) return () => model(decodePath(path.slice(modelsPath.length)))
        if (path.startsWith(usagePath)) return (key) => receipt(key, path.slice(usagePath.length))
        const shape = balanceShapes.get(path)
        if (shape === undefined) return undefined
        return (key) =>
          Effect.mapBoth(figures.read(key), {
            onFailure: () => unavailable("Balances are unavailable at this moment. Please try again shortly."),
            onSuccess: shape
          })
      }
    })
  }))
}

/** Receipts that one user asks for and waits for, at most. */
const RECEIPTS_OF_USER_MAX = 64

const modelsPath = "/v1/models/"
const usagePath = "/v1/usage/"

const decodePath = (text: string): string => {
  const decoded = new URLSearchParams(`id=${text.replaceAll("+", "%2B").replaceAll("&", "%26")}`).get("id")
  return decoded ?? text
}
