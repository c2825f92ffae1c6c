/**
 * The folder's layer: what people are told outside the console, by mail and to programs of theirs.
 */
import { Layer } from "effect"
import { DeliveryList } from "./DeliveryList.ts"
import { Mailer } from "./Mailer.ts"
import { NoticePreferences } from "./NoticePreferences.ts"
import { NoticeSenderLayer } from "./NoticeSender.ts"
import { NoticeWatchLayer } from "./NoticeWatch.ts"
import { WebhookClient } from "./WebhookClient.ts"
import { WebhookEndpoints } from "./WebhookEndpoints.ts"

export const NoticesLayer = Layer.mergeAll(
  DeliveryList.layer,
  Mailer.layer,
  NoticePreferences.layer,
  WebhookEndpoints.layer
).pipe(
  Layer.provideMerge(WebhookClient.layer)
)

/** What a server does with notices in the background. */
export const NoticesWorkLayer = Layer.mergeAll(NoticeSenderLayer, NoticeWatchLayer)
