/**
 * Announcements as users read them: the latest above the pages of the console, each with a button that puts it away for good.
 */
import { announcementIn } from "../../../domain/Announcement.ts"
import type { Announcement } from "../../../settings/Announcements.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { ButtonForm } from "./Forms.tsx"
import { Linked } from "./Parts.tsx"

/** Shown above a page at once, at most; the page of announcements has all. */
const SHOWN_MAX = 3

interface AnnouncementProps {
  readonly context: PageContext
  readonly announcement: Announcement
}

/** Its day, its title, and its text with links. */
export const AnnouncementText = ({ announcement, context }: AnnouncementProps) => {
  const { text, title } = announcementIn(announcement, context.language)
  return (
    <div class="break-anywhere">
      <h2 class="h4 mb-1">
        {title} <time class="fw-normal ms-1" dateTime={announcement.startsOn}>{announcement.startsOn}</time>
      </h2>
      {text === "" ? null : (
        <div class="lines">
          <Linked text={text} />
        </div>
      )}
    </div>
  )
}

const Dismissible = ({ announcement, context }: AnnouncementProps) => {
  const say = sayOf(context, "announcements")
  const { title } = announcementIn(announcement, context.language)
  return (
    <section class="alert alert-info announcement" aria-label={title}>
      <AnnouncementText announcement={announcement} context={context} />
      <ButtonForm
        context={context}
        action={`/announcements/${announcement.id}/dismiss`}
        fields={{ next: context.here }}
        look="btn-sm"
        button={
          <>
            {say("dismiss")}
            <span class="visually-hidden">: {title}</span>
          </>
        }
      />
    </section>
  )
}

export const Announced = (
  { announcements, context }: { readonly context: PageContext; readonly announcements: ReadonlyArray<Announcement> }
) => {
  const more = announcements.length - SHOWN_MAX
  return (
    <>
      {announcements.slice(0, SHOWN_MAX).map((announcement) => (
        <Dismissible key={announcement.id} context={context} announcement={announcement} />
      ))}
      {more > 0
        ? (
          <p>
            <a href="/announcements">{sayOf(context, "announcements")("more", { count: more })}</a>
          </p>
        )
        : null}
    </>
  )
}
