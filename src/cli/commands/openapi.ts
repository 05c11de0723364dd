/** `openapi`: print the OpenAPI document. */
import type { Command } from "commander";
import { openapiDocument } from "../../app/openapi-document.js";
import { type CliContext, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

export function addOpenapiCommand(program: Command, context: CliContext): void {
  program
    .command("openapi")
    .description("print the OpenAPI document")
    .action(() =>
      runCommand(context, {}, async () => {
        context.print(JSON.stringify(await openapiDocument(), null, 2));
        return EXIT.done;
      }),
    );
}
