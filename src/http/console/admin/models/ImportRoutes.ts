/**
 * `/admin/models/import`: a file of prices is read, looked at and applied by choice. The file is sent once; its preview has an
 * address, and what is ticked there names lines of it.
 */
import { Effect, Layer } from "effect"
import { OFFERS_MAX, PRICE_FILE_LENGTH_MAX } from "../../../../catalog/PriceImport.ts"
import {
  CHOICES_MAX,
  type OfferChoice,
  type OfferState,
  offerStates,
  type PriceImport,
  PriceImports
} from "../../../../catalog/PriceImports.ts"
import { emptyForm, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { readFormWithFiles, readFormWithin } from "../../FormBody.ts"
import { idOf, pathId } from "../../PathId.ts"
import { actorOf, sayOf, type UserVisit } from "../../Visit.ts"
import { importText } from "./ImportText.ts"
import { ImportView } from "./ImportView.tsx"
import { type OfferQuery, PreviewView } from "./PreviewView.tsx"

const MIB = 1_048_576

/** Lines of a page: as many as can be applied at once would be too many to look at. */
const PAGE_SIZE = 200
const TEXT_LENGTH_MAX = 200

/** A file is sent as a part of a form, whose other parts are short. */
const fileBounds = { bytesMax: PRICE_FILE_LENGTH_MAX + 65_536, fieldsMax: 10 }

/** A ticked line is a few digits. */
const choiceBounds = { bytesMax: 131_072, fieldsMax: 2 * CHOICES_MAX }

const showImport = (visit: UserVisit, state: FormState) =>
  Effect.succeed(page(sayOf(visit, importText)("title"), ImportView({ visit, state })))

const importPage = adminPage("/admin/models/import", (visit) => showImport(visit, emptyForm))

const importForm = adminForm("/admin/models/import", {
  read: readFormWithFiles(fileBounds),
  run: (visit, fields) =>
    Effect.gen(function*() {
      const say = sayOf(visit, importText)
      const texts = fields.getAll("file").concat(fields.getAll("text")).filter((text) => text.trim() !== "")
      if (texts.length > 1) return yield* refuse({ file: say("problem.both") })
      const [text] = texts
      if (text === undefined) return yield* refuse({ file: say("problem.none") })
      const id = yield* (yield* PriceImports).read(actorOf(visit), text)
      return redirect(`/admin/models/import/${id}`)
    }).pipe(
      Effect.catchTag("PriceFileRefused", ({ why }) => {
        const say = sayOf(visit, importText)
        const texts = {
          json: say("problem.json"),
          shape: say("problem.shape"),
          size: say("problem.size", {
            max: PRICE_FILE_LENGTH_MAX / MIB,
            count: visit.formats.count(OFFERS_MAX)
          })
        }
        return Effect.fail(refuse({ file: texts[why] }))
      })
    ),
  // A whole file would make a page of many megabytes: whoever sent it has it.
  again: (visit, _fields, problems) => showImport(visit, { values: new URLSearchParams(), problems })
})

const stateOf = (text: string | null): OfferState | undefined => offerStates.find((state) => state === text)

const textOf = (text: string | null): string =>
  (text ?? "").replaceAll("\0", "").toWellFormed().slice(0, TEXT_LENGTH_MAX).trim()

/** What the address narrows the preview to; changes are shown first where there are any. */
const queryOf = ({ query }: UserVisit, found: PriceImport): OfferQuery => {
  const after = idOf(query.get("after"))
  const provider = query.get("provider")
  return {
    state: stateOf(query.get("state")) ?? (found.counts.changed > 0 ? "changed" : "new"),
    provider: found.providers.find((known) => known !== "" && known === provider),
    text: textOf(query.get("q")),
    after: after === undefined || after > BigInt(OFFERS_MAX) ? undefined : Number(after),
    isTicked: query.get("tick") === "all"
  }
}

const showPreview = Effect.fnUntraced(function*(visit: UserVisit, state: FormState) {
  const imports = yield* PriceImports
  const found = yield* imports.get(yield* pathId("id")).pipe(
    Effect.catchTag("ImportNotFound", () => Effect.fail(new PageNotFound()))
  )
  const query = queryOf(visit, found)
  const offers = yield* imports.compare(found.id, { ...query, limit: PAGE_SIZE + 1 })
  const view = PreviewView({
    visit,
    found,
    query,
    state,
    offers: offers.slice(0, PAGE_SIZE),
    hasMore: offers.length > PAGE_SIZE
  })
  return page(sayOf(visit, importText)("preview"), view)
})

const previewPage = adminPage("/admin/models/import/:id", (visit) => showPreview(visit, emptyForm))

/** A line of the preview with the revision of the model beside it; undefined for what no line looks like. */
const choiceOf = (text: string): OfferChoice | undefined => {
  const match = /^(\d{1,6}):(\d{1,18})$/.exec(text)
  return match === null ? undefined : { position: Number(match[1]), revision: BigInt(match[2] ?? "0") }
}

const applyForm = adminForm("/admin/models/import/:id", {
  read: readFormWithin(choiceBounds),
  run: (visit, fields) =>
    Effect.gen(function*() {
      const say = sayOf(visit, importText)
      const choices = fields.getAll("offers").map(choiceOf)
      const known = choices.filter((choice) => choice !== undefined)
      if (known.length < choices.length) return yield* refuse({ form: say("problem.choice") })
      const { changed, created } = yield* (yield* PriceImports).apply(actorOf(visit), yield* pathId("id"), known)
      return redirect(`/admin/models?done=imported&created=${created}&changed=${changed}`)
    }).pipe(
      Effect.catchTags({
        ImportRefused: ({ model, why }) => {
          const say = sayOf(visit, importText)
          const texts = {
            none: say("problem.choose"),
            many: say("problem.many", { max: CHOICES_MAX }),
            twice: model === "" ? say("problem.twice.some") : say("problem.twice", { id: model }),
            choice: say("problem.choice")
          }
          return Effect.fail(refuse({ form: texts[why] }))
        },
        ChangedMeanwhile: ({ target }) => {
          const id = target.replace(/^model:/, "")
          return Effect.fail(refuse({ form: sayOf(visit, importText)("problem.meanwhile", { id }) }, 409))
        }
      })
    ),
  again: (visit, values, problems) => showPreview(visit, { values, problems })
})

export const ImportRoutes = Layer.mergeAll(importPage, importForm, previewPage, applyForm)
