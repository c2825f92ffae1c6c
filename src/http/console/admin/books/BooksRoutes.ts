/**
 * The books in the browser: statements with their closed days and the liability, the check of a provider's bill, and exports.
 */
import { routes } from "../../ConsoleRoute.ts"
import { BillRoutes } from "./Bills.tsx"
import { ExportsRoutes } from "./ExportFiles.tsx"
import { LiabilityRoutes } from "./Liability.tsx"
import { StatementsRoutes } from "./StatementPages.tsx"

export const BooksRoutes = routes(BillRoutes, ExportsRoutes, LiabilityRoutes, StatementsRoutes)
