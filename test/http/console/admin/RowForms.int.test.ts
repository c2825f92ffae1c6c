/**
 * The forms of rows ask for every term that their rows have: what a form does not send is taken for what it means to leave it out, so
 * a term without an input would be lost whenever somebody saves.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { announcementTerms } from "../../../../src/domain/Announcement.ts"
import { channelTerms } from "../../../../src/domain/ChannelTerms.ts"
import { modelTerms } from "../../../../src/domain/ModelTerms.ts"
import { planOffer } from "../../../../src/domain/Plan.ts"
import { groupTerms } from "../../../../src/domain/UserGroup.ts"
import { ConsoleWorld, signedInRoot } from "../../../support/ConsoleWorld.ts"

const inputsOf = <Name extends string>({ inputOf, names }: {
  readonly names: ReadonlyArray<Name>
  readonly inputOf: (name: Name) => string
}): ReadonlyArray<string> => names.map(inputOf)

const forms = [
  ["/admin/announcements/new", inputsOf(announcementTerms)],
  ["/admin/channels/new", inputsOf(channelTerms)],
  ["/admin/groups/new", inputsOf(groupTerms)],
  ["/admin/models/new", inputsOf(modelTerms)],
  ["/admin/plans/new", inputsOf(planOffer)]
] as const

describe("the form of", () => {
  layer(ConsoleWorld.layerOf({ groups: [{ code: "vip", name: "VIP", multiplier: "0.8" }] }), {
    excludeTestServices: true
  })(
    (it) => {
      it.effect.each(forms)("%s has an input for each term", ([path, inputs]) =>
        Effect.gen(function*() {
          const { client } = yield* signedInRoot
          const page = yield* client.get(path)
          assert.strictEqual(page.status, 200, path)
          assert.isAbove(inputs.length, 1)
          assert.deepStrictEqual(inputs.filter((name) => !page.text.includes(`name="${name}"`)), [])
        }))
    }
  )
})
