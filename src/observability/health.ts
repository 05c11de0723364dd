/** Health checks: named, quick, and saying what is wrong and what to do. */

export const HEALTH_STATUSES = ["ok", "degraded", "failed"] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

export interface HealthCheckResult {
  readonly name: string;
  readonly status: HealthStatus;
  readonly detail: string;
}

export interface HealthCheck {
  readonly name: string;
  /** When it fails, the service is not ready; others only degrade it. */
  readonly isEssential: boolean;
  run(): Promise<Omit<HealthCheckResult, "name">>;
}

/** A check that throws has failed. */
export async function runHealthChecks(checks: readonly HealthCheck[]): Promise<readonly HealthCheckResult[]> {
  return Promise.all(
    checks.map(async ({ name, isEssential, run }) => {
      try {
        const result = await run();
        return { name, ...result, status: result.status === "failed" && !isEssential ? ("degraded" as const) : result.status };
      } catch {
        return { name, status: isEssential ? ("failed" as const) : ("degraded" as const), detail: "the check itself failed; see the log" };
      }
    }),
  );
}

/** The status of the whole: that of its worst check. */
export function worstStatus(results: readonly HealthCheckResult[]): HealthStatus {
  if (results.some(({ status }) => status === "failed")) return "failed";
  return results.some(({ status }) => status === "degraded") ? "degraded" : "ok";
}
