/**
 * Rows as a file of comma-separated values to download.
 */
import { Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import type { UserId } from "../../domain/Ids.ts"
import { type CsvColumns, csvPieces } from "../../platform/Csv.ts"
import { type Answer, raw } from "./Answer.ts"
import { PageTurns } from "./PageTurns.ts"

/**
 * Rows that are read in the turns of pages: a file is read after its page has been answered, and files asked for all at once must not
 * take the database from calls.
 */
export const inTurns = <A, E>(userId: UserId, rows: Stream.Stream<A, E>) =>
  Effect.map(
    PageTurns,
    (turns) => Stream.transformPull(rows, (pull) => Effect.succeed(turns.take(userId, pull)))
  )

/** The file begins before the rows are read; what goes wrong after that breaks it off, so that nobody takes it for whole. */
export const csvResponse = <E>(
  fileName: string,
  pieces: Stream.Stream<string, E>
): HttpServerResponse.HttpServerResponse => {
  const encoder = new TextEncoder()
  return HttpServerResponse.stream(Stream.map(pieces, (piece) => encoder.encode(piece)), {
    contentType: "text/csv; charset=utf-8",
    headers: {
      "content-disposition": `attachment; filename="${fileName}"`,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff"
    }
  })
}

export const csvAnswer = <Row, E>(
  fileName: string,
  columns: CsvColumns<Row>,
  rows: Stream.Stream<Row, E>
): Answer => raw(csvResponse(fileName, csvPieces(columns, rows)))
