/**
 * The folder's layer: the server that listens, with its pages' own needs.
 */
import { Layer } from "effect"
import { Pdfs } from "../platform/Pdfs.ts"
import { Charts } from "./console/charts/Charts.ts"
import { PageTurns } from "./console/PageTurns.ts"
import { MetricsListenerLayer } from "./ops/MetricsListener.ts"
import { HttpServer } from "./HttpServer.ts"

export const HttpLayer = MetricsListenerLayer.pipe(
  // Built behind the server, it ends before it: the runner that replaces this one takes the port while open calls end here.
  Layer.provideMerge(HttpServer.layer),
  Layer.provideMerge(Layer.mergeAll(Charts.layer, PageTurns.layer, Pdfs.layer))
)
