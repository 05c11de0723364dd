/** The top of the page: its name, the connection, the languages, help and leaving. */
import type { ComponentChildren, JSX } from "preact";
import { LanguageSwitch } from "./language-switch.js";

export function PageHeader({ children }: { readonly children?: ComponentChildren }): JSX.Element {
  return (
    <header class="page-header">
      <p class="brand">
        <svg class="brand-sign" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" class="brand-ground" />
          <path d="M9 13v6M13.5 9v14M18 12v8M22.5 14.5v3" class="brand-wave" />
        </svg>
        <span lang="en">openchs-ai</span>
      </p>
      <div class="header-actions">
        {children}
        <LanguageSwitch />
      </div>
    </header>
  );
}
