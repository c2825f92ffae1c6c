/**
 * The fields of a posted form, bounded before they are looked at. A form that is too large, of another type or not text that
 * the database can hold is refused as a whole.
 */
import { ByteSize, Effect, type FileSystem, type Path, Schema, type Scope } from "effect"
import { HttpIncomingMessage, HttpServerRequest, Multipart } from "effect/http"
import { isDatabaseText } from "../../postgres/DatabaseText.ts"
import { UploadedForm } from "./UploadedForm.ts"

/** The form could not be read: `large`, `type` (not URL-encoded) or `malformed`. */
class FormUnreadable extends Schema.TaggedError<FormUnreadable>()("FormUnreadable", {
  why: Schema.Literals(["large", "slow", "type", "malformed"])
}) {}

/** The status that a client gets. */
export const statusOfUnreadable = { large: 413, slow: 408, type: 415, malformed: 400 } as const

export interface FormBounds {
  readonly bytesMax: number
  readonly fieldsMax: number
}

/** The longest form is a few short texts and a list of models. */
const formBounds: FormBounds = { bytesMax: 65_536, fieldsMax: 200 }

/** The body has to be here within this, in milliseconds. */
const FORM_MS_MAX = 10_000

/** The same for a file. */
const FILE_MS_MAX = 50_000

const formType = "application/x-www-form-urlencoded"
const fileType = "multipart/form-data"

/** The request at hand with its type, when it is the one that the form is sent as. */
const requestOf = (wanted: string) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const type = request.headers["content-type"] ?? ""
    if (type.split(";")[0]?.trim().toLowerCase() !== wanted) return yield* new FormUnreadable({ why: "type" })
    return { request, type }
  })

const within = <A, E, R>(body: Effect.Effect<A, E, R>, bytesMax: number, msMax: number) =>
  body.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bytesMax)),
    Effect.mapError(() => new FormUnreadable({ why: "large" })),
    Effect.timeoutOrElse({ duration: msMax, orElse: () => Effect.fail(new FormUnreadable({ why: "slow" })) })
  )

const checked = (fields: URLSearchParams, fieldsMax: number) =>
  fields.size <= fieldsMax && Array.from(fields).every(([name, value]) => isDatabaseText(name) && isDatabaseText(value))
    ? Effect.succeed(fields)
    : Effect.fail(new FormUnreadable({ why: "malformed" }))

/** Reads the form of the request at hand, within bounds of its own. */
export const readFormWithin = ({ bytesMax, fieldsMax }: FormBounds) =>
  Effect.gen(function*() {
    const { request } = yield* requestOf(formType)
    const text = yield* within(request.text, bytesMax, FORM_MS_MAX)
    return yield* checked(new URLSearchParams(text), fieldsMax)
  })

/** Reads the form of the request at hand. */
export const readForm = readFormWithin(formBounds)

/** What reads a form. */
export type ReadForm = Effect.Effect<
  URLSearchParams,
  FormUnreadable,
  HttpServerRequest.HttpServerRequest | FileSystem.FileSystem | Path.Path | Scope.Scope
>

/** A field beside a file is short, in bytes. */
const UPLOAD_FIELD_BYTES_MAX = 4_096

const unreadable = ({ reason }: Multipart.MultipartError) =>
  new FormUnreadable({ why: reason._tag === "BodyTooLarge" || reason._tag === "FileTooLarge" ? "large" : "malformed" })

/** The same for a form with a large file, which is never held in memory whole. */
export const readUpload = ({ bytesMax, fieldsMax }: FormBounds): ReadForm =>
  Effect.gen(function*() {
    const { request } = yield* requestOf(fileType)
    const parts = yield* request.multipart.pipe(
      Effect.provideService(Multipart.MaxParts, fieldsMax),
      Effect.provideService(Multipart.MaxFieldSize, ByteSize.bytes(UPLOAD_FIELD_BYTES_MAX)),
      Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bytesMax)),
      Effect.mapError(unreadable),
      Effect.timeoutOrElse({ duration: FILE_MS_MAX, orElse: () => Effect.fail(new FormUnreadable({ why: "slow" })) })
    )
    const texts: Array<[string, string]> = []
    const files = new Map<string, string>()
    for (const [name, value] of Object.entries(parts)) {
      for (const part of typeof value === "string" ? [value] : value) {
        if (typeof part === "string") texts.push([name, part])
        else files.set(name, part.path)
      }
    }
    const form = new UploadedForm(texts, files)
    yield* checked(form, fieldsMax)
    return form
  })

/** A file as text: of an image, a `data:` URL. */
const textOfFile = async (file: File): Promise<string> =>
  file.type.startsWith("image/")
    ? `data:${file.type};base64,${Buffer.from(await file.arrayBuffer()).toString("base64")}`
    : await file.text()

/** The same for a form with files, each of which is a field with the file's text. All of it is held in memory. */
export const readFormWithFiles = ({ bytesMax, fieldsMax }: FormBounds) =>
  Effect.gen(function*() {
    const { request, type } = yield* requestOf(fileType)
    const body = yield* within(request.arrayBuffer, bytesMax, FILE_MS_MAX)
    const fields = yield* Effect.tryPromise({
      try: async () => {
        const form = await new Response(body, { headers: { "content-type": type } }).formData()
        const texts = Array.from(form, async ([name, value]): Promise<[string, string]> => [
          name,
          typeof value === "string" ? value : await textOfFile(value)
        ])
        return new URLSearchParams(await Promise.all(texts))
      },
      catch: () => new FormUnreadable({ why: "malformed" })
    })
    return yield* checked(fields, fieldsMax)
  })

/** Reads a form that has files, or one that has none. */
export const readAnyForm = (bounds: FormBounds) =>
  Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    ({ headers }) =>
      (headers["content-type"] ?? "").startsWith(formType) ? readFormWithin(bounds) : readFormWithFiles(bounds)
  )
