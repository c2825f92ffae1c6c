/**
 * The folder's layer: the server that listens, with its pages' own needs.
 */
import { Layer } from "effect"
import { Pdfs } from "../platform/Pdfs.ts"
import { Charts } from "./console/charts/Charts.ts"
import { PageTurns } from "./console/PageTurns.ts"
import { HttpServer } from "./HttpServer.ts"

export const HttpLayer = HttpServer.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(Charts.layer, PageTurns.layer, Pdfs.layer))
)
