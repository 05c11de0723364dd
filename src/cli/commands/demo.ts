/** `demo`: the three acts, see app/demo. */
import type { Command } from "commander";
import type { CliContext } from "../context.js";
export function addDemoCommand(_p: Command, _c: CliContext): void {}
