/** What differs between the databases when tables are made. */
export interface ColumnTypes {
  /** Text of any length: `text`, but `longtext` on MySQL, whose `text` ends at 64 KB. */
  readonly longText: "text" | "longtext";
  /** A primary key that the database itself counts up with every row. */
  readonly countedKey: string;
  /** A primary key that is a number the program gives. */
  readonly numberKey: string;
  /** The statements that index a column of texts by its words, which are of letters alone. */
  wordIndex(index: WordIndex): readonly string[];
  /** How rows made before such a key stand in order. */
  readonly rowOrder: readonly string[];
  /** Whether an index may leave rows out. Where it may not, NULL in a unique index is never the same as another NULL. */
  readonly hasPartialIndexes: boolean;
}

/** Names of ours, none of a user's. */
export interface WordIndex {
  readonly table: string;
  readonly key: string;
  readonly column: string;
}
