/**
 * `realms redeem`: gives a user what a redemption code is for. The code comes from standard input, never from the command line,
 * where other processes and the shell's history would see it.
 */
import { Effect, type Layer } from "effect"
import { Command } from "effect/cli"
import type { Users } from "../identity/Users.ts"
import { Redemptions } from "../redemption/Redemptions.ts"
import { dollars, print } from "./Output.ts"
import { findUser, readSecretLine, userFlag } from "./Parameters.ts"

const redeem = Effect.fnUntraced(function*(flags: { readonly user: string }) {
  const user = yield* findUser(flags.user)
  const code = yield* readSecretLine("code")
  const { gift } = yield* (yield* Redemptions).redeem({ userId: user.id, address: "" }, code)
  yield* gift.kind === "balance"
    ? print({ user_id: user.id, usd_micros: gift.usdMicros }, `${user.email} was given ${dollars(gift.usdMicros)}`)
    : print({ user_id: user.id, plan_code: gift.terms.code }, `${user.email} was given the plan ${gift.terms.name}`)
})

/** `services` are built for a command that runs, not for help about it. */
export const redeemCommand = <E, R>(services: Layer.Layer<Users | Redemptions, E, R>) =>
  Command.make("redeem", { user: userFlag }, redeem).pipe(
    Command.provide(services),
    Command.withDescription("Redeem a code from standard input for a user"),
    Command.withExamples([{ command: "realms redeem --user ada@example.com < code.txt" }])
  )
