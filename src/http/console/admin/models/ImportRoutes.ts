/**
 * `/admin/models/import`: a file of prices is read, looked at and applied by choice. The file is sent once; its preview has an
 * address, and what is ticked there names lines of it.
 */
import { Effect } from "effect"
import { OFFERS_MAX, PRICE_FILE_LENGTH_MAX } from "../../../../catalog/PriceImport.ts"
import {
  CHOICES_MAX,
  type OfferChoice,
  offerStates,
  type PriceImport,
  PriceImports
} from "../../../../catalog/PriceImports.ts"
import { emptyForm, type FormState, notFound, page, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { readFormWithFiles, readFormWithin } from "../../FormBody.ts"
import { listedOf } from "../../kit/List.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, oneOf, pathId, searchText } from "../../Params.ts"
import { ImportView, MIB } from "./ImportView.tsx"
import { type OfferQuery, PreviewView } from "./PreviewView.tsx"

/** Lines of a page: as many as can be applied at once would be too many to look at. */
const PAGE_SIZE = 200

/** A file is sent as a part of a form, whose other parts are short. */
const fileBounds = { bytesMax: PRICE_FILE_LENGTH_MAX + 65_536, fieldsMax: 10 }

/** A ticked line is a few digits. */
const choiceBounds = { bytesMax: 131_072, fieldsMax: 2 * CHOICES_MAX }

const showImport = (context: UserContext, state: FormState) =>
  Effect.succeed(page(sayOf(context, "import")("title"), ImportView({ context, state })))

const importPage = adminPage("/admin/models/import", (context) => showImport(context, emptyForm))

const importForm = adminForm("/admin/models/import", {
  read: readFormWithFiles(fileBounds),
  run: (context, fields) =>
    Effect.gen(function*() {
      const say = sayOf(context, "import")
      const texts = fields.getAll("file").concat(fields.getAll("text")).filter((text) => text.trim() !== "")
      if (texts.length > 1) return yield* refuse({ file: say("problem.both") })
      const [text] = texts
      if (text === undefined) return yield* refuse({ file: say("problem.none") })
      const id = yield* (yield* PriceImports).read(actorOf(context), text)
      return redirect(`/admin/models/import/${id}`)
    }).pipe(
      Effect.catchTag("PriceFileRefused", ({ why }) => {
        const say = sayOf(context, "import")
        const texts = {
          json: say("problem.json"),
          shape: say("problem.shape"),
          size: say("problem.size", {
            max: PRICE_FILE_LENGTH_MAX / MIB,
            count: context.formats.count(OFFERS_MAX)
          })
        }
        return Effect.fail(refuse({ file: texts[why] }))
      })
    ),
  // A whole file would make a page of many megabytes: whoever sent it has it.
  again: (context, { problems }) => showImport(context, { values: new URLSearchParams(), problems })
})

/** What the address narrows the preview to; changes are shown first where there are any. */
const queryOf = ({ query }: UserContext, found: PriceImport): OfferQuery => {
  const after = idOf(query.get("after"))
  return {
    state: oneOf(offerStates, query.get("state")) ?? (found.counts.changed > 0 ? "changed" : "new"),
    provider: oneOf(found.providers, query.get("provider") || undefined),
    text: searchText(query, "q"),
    after: after === undefined || after > BigInt(OFFERS_MAX) ? undefined : Number(after),
    isTicked: query.get("tick") === "all"
  }
}

const showPreview = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const imports = yield* PriceImports
  const found = yield* imports.get(yield* pathId("id")).pipe(Effect.catchTag("ImportNotFound", notFound))
  const query = queryOf(context, found)
  const offers = yield* imports.compare(found.id, { ...query, limit: PAGE_SIZE + 1 })
  const view = PreviewView({ context, found, query, state, ...listedOf(offers, PAGE_SIZE) })
  return page(sayOf(context, "import")("preview"), view)
})

const previewPage = adminPage("/admin/models/import/:id", (context) => showPreview(context, emptyForm))

/** A line of the preview with the revision of the model beside it; undefined for what no line looks like. */
const choiceOf = (text: string): OfferChoice | undefined => {
  const match = /^(\d{1,6}):(\d{1,18})$/.exec(text)
  return match === null ? undefined : { position: Number(match[1]), revision: BigInt(match[2] ?? "0") }
}

const applyForm = adminForm("/admin/models/import/:id", {
  read: readFormWithin(choiceBounds),
  run: (context, fields) =>
    Effect.gen(function*() {
      const say = sayOf(context, "import")
      const choices = fields.getAll("offers").map(choiceOf)
      const known = choices.filter((choice) => choice !== undefined)
      if (known.length < choices.length) return yield* refuse({ form: say("problem.choice") })
      const { changed, created } = yield* (yield* PriceImports).apply(actorOf(context), yield* pathId("id"), known)
      return redirect(`/admin/models?done=imported&created=${created}&changed=${changed}`)
    }).pipe(
      Effect.catchTags({
        ImportRefused: ({ model, why }) => {
          const say = sayOf(context, "import")
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
          return Effect.fail(refuse({ form: sayOf(context, "import")("problem.meanwhile", { id }) }, 409))
        }
      })
    ),
  again: showPreview
})

export const ImportRoutes = routes(importPage, importForm, previewPage, applyForm)
