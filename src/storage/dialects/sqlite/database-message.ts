/** What travels between the database client and the database thread. */
import type { RowSet, Statement } from "../statement.js";

export type DatabaseRequest =
  | { readonly id: number; readonly kind: "query"; readonly statement: Statement }
  | { readonly id: number; readonly kind: "batch"; readonly statements: readonly Statement[] }
  | { readonly id: number; readonly kind: "close" };

export type DatabaseResponse =
  | { readonly id: number; readonly results: readonly RowSet[]; readonly failure?: undefined }
  | { readonly id: number; readonly failure: { readonly code: string; readonly message: string } };
