// Scripts that several engines source: the cluster record and what every membership job needs.

/** The folder of the shared scripts, for {@link Engine.scripts}. */
export const SHARED_SCRIPTS = __dirname;
