/**
 * Below the settings of a payment provider or of mail: whether what is saved works, tried at the press of a button. Providers are asked
 * something that changes nothing; the mail server gets a message for the administrator who pressed.
 */
import { Effect } from "effect"
import { Mailer } from "../../../../notices/Mailer.ts"
import { Connections } from "../../../../orders/Connections.ts"
import { stripeEventTypes } from "../../../../payments/StripeEventTypes.ts"
import { ButtonForm } from "../../kit/Forms.tsx"
import { Icon } from "../../kit/Icon.tsx"
import { Copyable, Notice } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import type { Section } from "./SettingTexts.ts"

export const testedSections = ["mail", "epay", "stripe"] as const
type TestedSection = typeof testedSections[number]

export const isTested = (section: Section): section is TestedSection =>
  testedSections.some((tested) => tested === section)

/** How a test went, with what the other side said where it did not go well. */
export interface TestResult {
  readonly section: TestedSection
  readonly outcome: "ok" | "unset" | "refused" | "unavailable"
  readonly why?: string
}

const sendTestMail = (context: UserContext) =>
  Effect.gen(function*() {
    const say = sayOf(context, "settings")
    yield* (yield* Mailer).send({
      to: context.user.email,
      subject: say("mail.test.subject"),
      text: say("mail.test.text")
    })
  }).pipe(
    Effect.as({ outcome: "ok" as const }),
    Effect.catchTags({
      MailNotConfigured: () => Effect.succeed({ outcome: "unset" as const }),
      MailRefused: ({ reason }) => Effect.succeed({ outcome: "refused" as const, why: reason }),
      MailUnavailable: ({ reason }) => Effect.succeed({ outcome: "unavailable" as const, why: reason })
    })
  )

const askProvider = (provider: "epay" | "stripe") =>
  Effect.flatMap(Connections, (connections) => connections.test(provider)).pipe(
    Effect.as({ outcome: "ok" as const }),
    Effect.catchTags({
      ProviderOff: () => Effect.succeed({ outcome: "unset" as const }),
      ProviderRefused: ({ why }) => Effect.succeed({ outcome: "refused" as const, why }),
      ProviderUnavailable: ({ why }) => Effect.succeed({ outcome: "unavailable" as const, why })
    })
  )

/** Tries what is saved. */
export const testConnection = Effect.fnUntraced(function*(context: UserContext, section: TestedSection) {
  const result = section === "mail" ? yield* sendTestMail(context) : yield* askProvider(section)
  return { section, ...result } satisfies TestResult
})

interface TestProps {
  readonly context: UserContext
  readonly at: TestedSection
  readonly publicUrl: string
  readonly tested?: TestResult
}

/** The address that a provider calls back. */
const Callback = ({ at, publicUrl, context }: TestProps) => {
  const say = sayOf(context, "settings")
  if (at === "mail") return <h3 class="h4" id="mail-test">{say("mail.test")}</h3>
  const callback = {
    epay: { title: say("notify"), path: "/api/pay/epay/notify", hint: say("notify.hint") },
    stripe: {
      title: say("webhook"),
      path: "/api/pay/stripe/webhook",
      hint: say("webhook.hint", { events: stripeEventTypes.join(", ") })
    }
  }[at]
  return (
    <div id={`${at}-test`}>
      <h3 class="h4">{callback.title}</h3>
      <Copyable id={`${at}-callback`} text={publicUrl + callback.path} label={say("copy")} copied={say("copied")} />
      <p class="text-secondary small mt-2 break-anywhere">{callback.hint}</p>
    </div>
  )
}

/** How the test went, in words. */
const resultText = (context: UserContext, { outcome, section, why = "" }: TestResult): string => {
  const say = sayOf(context, "settings")
  const isMail = section === "mail"
  switch (outcome) {
    case "ok":
      return isMail ? say("mail.test.ok", { to: context.user.email }) : say("test.ok")
    case "unset":
      return isMail ? say("mail.test.unset") : say("test.unset")
    case "refused":
      return isMail ? say("mail.test.refused", { why }) : say("test.refused", { why })
    case "unavailable":
      return isMail ? say("mail.test.unavailable", { why }) : say("test.unavailable", { why })
  }
}

export const ConnectionTest = (props: TestProps) => {
  const { at, tested, context } = props
  const say = sayOf(context, "settings")
  return (
    <div class="card-body border-top">
      <Callback {...props} />
      {tested?.section === at
        ? <Notice kind={tested.outcome === "ok" ? "success" : "danger"}>{resultText(context, tested)}</Notice>
        : null}
      <ButtonForm
        context={context}
        // The page that answers opens where the result is said.
        action={`/admin/settings/test#${at}-test`}
        class="d-flex flex-wrap align-items-center gap-2"
        fields={{ section: at }}
        button={
          <>
            <Icon name="check" />
            {at === "mail" ? say("mail.test.button") : say("test")}
          </>
        }
      >
        <span class="text-secondary small">
          {at === "mail" ? say("mail.test.hint", { to: context.user.email }) : say("test.hint")}
        </span>
      </ButtonForm>
    </div>
  )
}
