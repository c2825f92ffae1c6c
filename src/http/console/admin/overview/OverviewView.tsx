/**
 * The first page of the administration, as root sees it.
 */
import { PageHeading } from "../../ui/Parts.tsx"
import type { UserVisit } from "../../Visit.ts"

export const OverviewView = ({ visit }: { readonly visit: UserVisit }) => <PageHeading title={visit.say("nav.admin")} />
