/**
 * Badges of a row that administrators manage: whether it is disabled, and whether it comes from config.yaml.
 */
import type { PageContext } from "../PageContext.ts"
import { Badge } from "../ui/Parts.tsx"

interface RowBadgesProps {
  readonly context: PageContext
  readonly row: { readonly disabledAt: Date | null; readonly declared: boolean }
}

export const RowBadges = ({ row: { declared, disabledAt }, context }: RowBadgesProps) => (
  <>
    {disabledAt === null ? null : <Badge tone="secondary">{context.say("state.disabled")}</Badge>}{" "}
    {declared ? <Badge tone="blue">{context.say("configYaml")}</Badge> : null}
  </>
)
