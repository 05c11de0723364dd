/** A setting as the outside sees it. */
export interface SettingDefinition {
  /** Place in `Config`. */
  readonly path: string;
  /** As it would be written outside; absent: unset. */
  readonly defaultText?: string;
  /** The rule in words, for messages and the page. */
  readonly rule: string;
  readonly purpose: string;
}
