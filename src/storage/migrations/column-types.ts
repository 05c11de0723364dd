/** The column types whose names differ between the databases. */
export interface ColumnTypes {
  /** Text of any length: `text`, but `longtext` on MySQL, whose `text` ends at 64 KB. */
  readonly longText: "text" | "longtext";
}
