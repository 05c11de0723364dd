/** The dashboard: one page and its files, built by Vite, for anybody; what it shows it fetches with its reader's key. */
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

export interface DashboardRoutesOptions {
  /** Holds index.html and assets/. */
  readonly directory: string;
}

const config = { permission: "public" as const };
const schema = { hide: true };
const YEAR_MS = 31_536_000_000;

/** Only what was built is served: files are named by their content and kept by browsers, the page is asked for anew. */
export async function dashboardRoutes(app: FastifyInstance, { directory }: DashboardRoutesOptions): Promise<void> {
  await app.register(fastifyStatic, { root: directory, serve: false });
  app.get("/", { config, schema }, (_request, reply) => reply.sendFile("index.html", { cacheControl: false }));
  app.get<{ Params: { file: string } }>("/assets/:file", { config, schema }, (request, reply) =>
    reply.header("cache-control", `public, max-age=${YEAR_MS / 1000}, immutable`).sendFile(`assets/${request.params.file}`, { cacheControl: false }),
  );
}
